"""``make release VERSION=0.2.0`` does everything that a release needs, up to publishing it, which a person does.

It stops at the first thing that is wrong, and says what. Repeated, it does not do again what passed for a commit.
All that is looked at is looked at in clones of the commit, so that nothing depends on what else lies around.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from tools import changelog
from tools.package import ROOT, build, commit_time, problems, tracked

PYPROJECT = ROOT / "pyproject.toml"
DIST = ROOT / "dist"
CI = Path(".ci/run")

_VERSION = re.compile(r'^version = "(.*)"$', re.MULTILINE)


class Stop(Exception):
    """Why there is no release, in a sentence."""


@dataclass(frozen=True)
class Release:
    """A version that is to come out."""

    version: str

    @property
    def tag(self) -> str:
        return f"v{self.version}"

    @property
    def commit(self) -> str:
        return git("rev-parse", "HEAD")

    @property
    def room(self) -> Path:
        """A folder for what is made for this commit."""
        return ROOT / "build" / "release" / self.commit[:12]

    def clone(self, name: str) -> Path:
        """A fresh clone of the commit."""
        folder = self.room / name
        shutil.rmtree(folder, ignore_errors=True)
        run("git", "clone", "--quiet", "--no-local", str(ROOT), str(folder))
        run("git", "checkout", "--quiet", "--detach", self.commit, where=folder)
        return folder


# The steps, cheap ones first


def look_at_the_version(release: Release) -> str:
    try:
        version = Version(release.version)
    except InvalidVersion:
        raise Stop(f"'{release.version}' is no version: make release VERSION=0.2.0") from None
    if str(version) != release.version or len(version.release) != 3:
        raise Stop(f"Write the version with three numbers, as in 0.2.0, not '{release.version}'.")
    tags = [Version(tag[1:]) for tag in git("tag", "--list", "v[0-9]*").split()]
    if version in tags:
        if git("rev-list", "-n1", release.tag) != release.commit:
            raise Stop(f"{release.tag} is the tag of another commit. A version comes out once: choose the next one.")
    elif newer := [str(tag) for tag in tags if tag > version]:
        raise Stop(f"{newer[-1]} is out already, and newer than {version}.")
    return f"{version} is the next version"


def look_at_the_tree(_release: Release) -> str:
    if changed := git("status", "--porcelain"):
        raise Stop(f"Commit or stash these changes first:\n{changed}")
    if (branch := git("branch", "--show-current")) != "main":
        raise Stop(f"Releases are made on main, and this is {branch or 'no branch'}: git switch main")
    return "the tree is clean, on main"


def write_the_version(release: Release) -> str:
    """Into pyproject.toml and CHANGELOG.md, in a commit of its own."""
    project, page = PYPROJECT.read_text(encoding="utf-8"), changelog.PAGE.read_text(encoding="utf-8")
    today = datetime.now(UTC).date()
    if found := list(changelog.problems(page, today=today)):
        raise Stop(f"CHANGELOG.md: {found[0]}")
    [current] = _VERSION.findall(project)
    if (current, str(changelog.releases(page)[0].version)) == (release.version, release.version):
        return "pyproject.toml and CHANGELOG.md have the version"
    if Version(current) >= Version(release.version):
        raise Stop(f"pyproject.toml has the version {current}, which is not older than {release.version}.")
    try:
        page = changelog.released(page, release.version, today)
    except ValueError as error:
        raise Stop(str(error)) from None
    PYPROJECT.write_text(_VERSION.sub(f'version = "{release.version}"', project), encoding="utf-8")
    changelog.PAGE.write_text(page, encoding="utf-8")
    run("git", "commit", "--quiet", "-m", f"Release {release.version}", PYPROJECT.name, changelog.PAGE.name)
    return "pyproject.toml and CHANGELOG.md got the version, in a commit"


def look_at_the_locks(release: Release) -> str:
    clone = release.clone("locks")
    run(*make("lock", "UPGRADE="), where=clone)
    if stale := git("diff", "--name-only", where=clone):
        raise Stop(
            f"{', '.join(stale.split())} do not follow from pyproject.toml: make lock UPGRADE=, and commit them."
        )
    return "the locked requirements follow from pyproject.toml"


def build_the_site(release: Release) -> str:
    run(*make("site"), where=release.clone("site"))
    return "the documentation builds without a warning"


def build_the_packages(release: Release) -> str:
    """Twice, at two places; what is the same goes into dist/."""
    DIST.mkdir(exist_ok=True)
    built = []
    for name in ("one", "the-other"):
        clone, folder = release.clone(name), release.room / f"dist-of-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        built.append(build(clone, folder, epoch=commit_time(clone)))
    for one, other in zip(*built, strict=True):
        if one.read_bytes() != other.read_bytes():
            raise Stop(f"Two clones built two different files {one.name}. Compare {one} and {other}.")
    if found := list(problems(built[0], tracked(release.room / "one"))):
        raise Stop(found[0])
    for file in built[0]:
        shutil.copy2(file, DIST / file.name)
    return f"two clones built the same {' and '.join(file.name for file in built[0])}"


def install_the_wheel(release: Release) -> str:
    """Into an environment that has nothing, as users do."""
    environment = release.room / "environment"
    [wheel] = DIST.glob(f"*-{release.version}-*.whl")
    run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(environment))
    python = str(environment / "bin" / "python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", f"{wheel}[standin,redis]")
    said = run(python, "-c", "import cobot_oidc; print(cobot_oidc.__version__)", where=environment).strip()
    if said != release.version:
        raise Stop(f"{wheel.name} says that it is version {said}.")
    if "check" not in run(python, "-m", "flask", "cobot", "--help", where=environment):
        raise Stop(f"{wheel.name} has no command flask cobot.")
    return "the wheel can be installed, and flask cobot runs"


def look_at_ci(release: Release) -> str:
    """Ask, or run it."""
    if not _person_says_that_ci_passed(release):
        log = release.room / "ci.log"
        print(f"  running {CI}, which can take 40 minutes; its output is in {log} …", flush=True)
        with log.open("w") as out:
            clone = release.clone("ci")
            status = subprocess.run(["bash", str(CI)], cwd=clone, stdout=out, stderr=out, check=False).returncode  # noqa: S603, S607
        if status:
            raise Stop(f"{CI} failed: {log}")
    return f"CI is green for {release.commit[:7]}"


def _person_says_that_ci_passed(release: Release) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"  Has CI passed for {release.commit[:7]}? Type yes, or press Enter to run it here: ") == "yes"


def make_the_tag(release: Release) -> str:
    if git("tag", "--list", release.tag):
        return f"{release.tag} is there"
    run("git", "tag", "--annotate", release.tag, "-m", f"cobot_oidc {release.version}")
    return f"{release.tag} was made, on this machine only"


STEPS: tuple[Callable[[Release], str], ...] = (
    look_at_the_version,
    look_at_the_tree,
    write_the_version,
    look_at_the_locks,
    build_the_site,
    build_the_packages,
    install_the_wheel,
    look_at_ci,
    make_the_tag,
)
ONCE_FOR_A_COMMIT = {look_at_the_locks, build_the_site, install_the_wheel, look_at_ci}


def passed(step: Callable[[Release], str], release: Release) -> str:
    """Take a step, unless it was taken for this commit: what it says.

    :raises Stop: if something is wrong.
    """
    if step not in ONCE_FOR_A_COMMIT:
        return step(release)
    note = release.room / f"{step.__name__}.passed"
    if not note.exists():
        said = step(release)
        note.write_text(said, encoding="utf-8")
    return note.read_text(encoding="utf-8")


# Other programs


def run(*command: str, where: Path = ROOT) -> str:
    """What a program says. If it fails, there is no release."""
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise Stop(f"This failed in {where}: {' '.join(command)}\n{said}")
    return done.stdout


def git(*arguments: str, where: Path = ROOT) -> str:
    return run("git", *arguments, where=where).strip()


def make(*arguments: str) -> list[str]:
    """A recipe of the Makefile, in the environment that this runs in, which is not set up anew for a clone."""
    return ["make", "--no-print-directory", "-o", f"{sys.prefix}/installed", f"VENV={sys.prefix}", *arguments]


def main(version: str) -> int:
    """Go through the steps, and return the exit status."""
    release = Release(version)
    for step in STEPS:
        try:
            print(f"ok  {passed(step, release)}", flush=True)
        except Stop as stop:
            print(f"Stopped: {stop}", file=sys.stderr)
            return 1
    files = " ".join(str(file.relative_to(ROOT)) for file in sorted(DIST.glob(f"cobot_oidc-{version}[-.]*")))
    print("\nNothing has left this machine. To publish the release, run:")
    print(f"  git push origin main {release.tag}")
    print(f"  .venv/bin/uv publish {files}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

"""``python -m tools.package FOLDER`` builds the wheel and the sdist, and looks at what is in them.

Whoever builds a commit gets the same bytes. Git knows what belongs to them: a file that it does not know is in neither.
"""

import fnmatch
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from packaging.utils import parse_sdist_filename, parse_wheel_filename

ROOT = Path(__file__).parents[1]
IN_THE_WHEEL = frozenset({".css", ".html", ".js", ".mo", ".po", ".py", ".svg", ".typed"})  # what a package needs
TOP_OF_THE_SDIST = frozenset(
    {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "SECURITY.md", "pyproject.toml"}
)
NOBODY_ELSES = (
    ".env*",
    "*.pem",
    "*.key",
    "*.p12",
    "id_rsa*",
    "id_ed25519*",
    "*.sqlite*",
    "*.pyc",
    "*.log",
    "test_*.py",
)


class Package(NamedTuple):
    """Both files of one version."""

    wheel: Path
    sdist: Path


def build(source: Path, folder: Path, *, epoch: int) -> Package:
    """Build both from a clone.

    :param source: the clone's folder.
    :param folder: where both are put.
    :param epoch: the time that the files inside get, in seconds since 1970: that of the commit.
    """
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch)}
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)  # noqa: S603 - our own
    return Package(*(next(folder.glob(kind)) for kind in ("*.whl", "*.tar.gz")))


def tracked(clone: Path, *options: str) -> list[str]:
    """The paths that git knows."""
    command = ["git", "ls-files", "-z", "--cached", *options]
    listed = subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    return [path for path in listed.stdout.split("\0") if path and (clone / path).exists()]


def commit_time(clone: Path) -> int:
    """When the commit was made, in seconds since 1970."""
    command = ["git", "log", "-1", "--format=%ct"]
    said = subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    return int(said.stdout)


def problems(package: Package, known: Iterable[str]) -> Iterator[str]:
    """What is wrong with the contents, in sentences. ``known``: the paths in version control."""
    known = frozenset(known)
    code = {path for path in known if path.startswith("cobot_oidc/")}
    docs = {path for path in known if path.startswith("docs/")}
    name, version, *_ = parse_wheel_filename(package.wheel.name)
    if (name, version) != parse_sdist_filename(package.sdist.name):
        yield f"{package.wheel.name} and {package.sdist.name} are different versions."
    about = f"cobot_oidc-{version}.dist-info"
    described = {f"{about}/{part}" for part in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    yield from _differences("The wheel", wheel_files(package.wheel), code | described)
    yield from _differences("The sdist", sdist_files(package.sdist), code | docs | TOP_OF_THE_SDIST)
    for path in sorted(code):
        if PurePosixPath(path).suffix not in IN_THE_WHEEL:
            yield f"{path} is of a kind that the package does not need: {', '.join(sorted(IN_THE_WHEEL))}."
    for path in sorted(code | docs):
        if any(fnmatch.fnmatch(PurePosixPath(path).name, pattern) for pattern in NOBODY_ELSES):
            yield f"{path} must not leave this repository: {', '.join(NOBODY_ELSES)}."
    for path in sorted(code):
        if path.endswith(".po") and path.removesuffix(".po") + ".mo" not in code:
            yield f"{path} is not compiled: make translations."
    if "cobot_oidc/py.typed" not in code:
        yield "cobot_oidc/py.typed is missing, without which nobody's type checker reads our types."


def wheel_files(wheel: Path) -> set[str]:
    """What is in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def sdist_files(sdist: Path) -> set[str]:
    """What is in an sdist, below its one folder."""
    with tarfile.open(sdist) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


def _differences(what: str, found: set[str], expected: set[str]) -> Iterator[str]:
    if surplus := sorted(found - expected):
        yield f"{what} has what does not belong there: {', '.join(surplus)}."
    if missing := sorted(expected - found):
        yield f"{what} lacks {', '.join(missing)}."


def main(folder: Path) -> None:
    """Build from this clone, and stop if something is wrong with the contents."""
    folder.mkdir(parents=True, exist_ok=True)
    package = build(ROOT, folder, epoch=commit_time(ROOT))
    if found := list(problems(package, tracked(ROOT))):
        sys.exit("\n".join(found))
    print(*package, sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())

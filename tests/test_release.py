"""``make release``, in a repository of its own whose CI, locks and site are quick: all else is done for real."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path

import pytest

from .empty_environment import link_needed
from .test_packages import REPOSITORY, clone

QUICK = {
    ".ci/run": "echo 'CI ran' >> \"$RAN\"\ntest ! -e fails-in-ci\n",
    "Makefile": "lock:\n\t@test ! -e fails-lock || echo new >> requirements/dev.txt\nsite:\n\t@test ! -e fails-site\n",
}


class Scratch:
    """A clone that somebody releases from."""

    def __init__(self, folder: Path) -> None:
        self.folder = clone(folder / "scratch", written_at=1_700_000_000)
        self.ran = folder / "ran"
        self._dependencies = folder / "dependencies"
        self._dependencies.mkdir()
        link_needed(distribution("cobot-oidc"), self._dependencies, extras=["standin", "redis"])
        for path, text in QUICK.items():
            (self.folder / path).write_text(text, encoding="utf-8")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("All of it")

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)

    def add(self, name: str) -> None:
        (self.folder / name).touch()
        self.commit(f"Add {name}")

    def release(self, version: str) -> subprocess.CompletedProcess[str]:
        """As ``make release`` calls it. pip finds the dependencies installed, and looks for nothing elsewhere."""
        environment = os.environ | {
            "PYTHONPATH": str(self._dependencies),
            "PIP_NO_INDEX": "1",
            "RAN": str(self.ran),
            **{f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        return subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "tools.release", version],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


def test_a_release_stops_before_it_is_published_and_can_be_repeated(scratch: Scratch) -> None:
    page = (scratch.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    (scratch.folder / "CHANGELOG.md").write_text(
        page.replace("## [Unreleased]\n", "## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.9.0] - 2026-11-25\n", 1),
        encoding="utf-8",
    )
    scratch.commit("As if 0.9.0 had been there")

    done = scratch.release("7.8.9")

    assert done.returncode == 0, done.stderr
    assert scratch.git("status", "--porcelain") == ""
    assert scratch.git("log", "-1", "--format=%s") == "Release 7.8.9"
    assert scratch.git("tag", "--points-at", "HEAD") == "v7.8.9"
    today = datetime.now(UTC).date()
    assert f"## [Unreleased]\n\n## [7.8.9] - {today}\n\n### Added\n" in (scratch.folder / "CHANGELOG.md").read_text()
    assert 'version = "7.8.9"\n' in (scratch.folder / "pyproject.toml").read_text(encoding="utf-8")
    files = ["cobot_oidc-7.8.9-py3-none-any.whl", "cobot_oidc-7.8.9.tar.gz"]
    assert sorted(file.name for file in (scratch.folder / "dist").iterdir()) == files
    published = done.stdout.partition("Nothing has left this machine.")[2].splitlines()[1:]
    assert published == ["  git push origin main v7.8.9", f"  .venv/bin/uv publish dist/{files[0]} dist/{files[1]}"]

    again = scratch.release("7.8.9")

    assert again.returncode == 0, again.stderr
    assert scratch.git("rev-list", "--count", "HEAD") == "3"
    assert scratch.ran.read_text(encoding="utf-8") == "CI ran\n"  # for this commit once

    scratch.add("something-new")
    assert "v7.8.9 is the tag of another commit." in scratch.release("7.8.9").stderr
    assert "7.8.9 is out already, and newer than 7.8.8." in scratch.release("7.8.8").stderr


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("", "'' is no version"),
        ("seven", "'seven' is no version"),
        ("7.8", "three numbers, as in 0.2.0, not '7.8'"),
        ("v7.8.9", "not 'v7.8.9'"),
        ("0.0.1", "which is not older than 0.0.1."),
    ],
)
def test_what_can_be_no_version(scratch: Scratch, version: str, said: str) -> None:
    assert_it_stops(scratch, version, said)


def assert_it_stops(scratch: Scratch, version: str, said: str) -> None:
    before = scratch.git("rev-parse", "HEAD")

    stopped = scratch.release(version)

    assert stopped.returncode == 1
    assert stopped.stderr.startswith("Stopped: ")
    assert said in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert scratch.git("tag") == ""
    assert scratch.git("rev-parse", "HEAD") == before or scratch.git("rev-parse", "HEAD~1") == before


def test_it_stops_at_what_was_not_committed(scratch: Scratch) -> None:
    (scratch.folder / "left-over").touch()
    assert_it_stops(scratch, "7.8.9", "Commit or stash these changes first:\n?? left-over")


def test_it_stops_on_another_branch(scratch: Scratch) -> None:
    scratch.git("switch", "--quiet", "--create", "feature")
    assert_it_stops(scratch, "7.8.9", "Releases are made on main, and this is feature: git switch main")


def test_it_stops_without_anything_new_in_the_changelog(scratch: Scratch) -> None:
    page = (scratch.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    nothing = re.sub(r"(## \[Unreleased\]\n).*?(?=## \[)", r"\1\n", page, count=1, flags=re.DOTALL)
    (scratch.folder / "CHANGELOG.md").write_text(nothing, encoding="utf-8")
    scratch.commit("Nothing new")
    assert_it_stops(scratch, "7.8.9", "CHANGELOG.md says of nothing under 'Unreleased' that could be released.")


def test_it_stops_at_a_changelog_that_is_not_well_formed(scratch: Scratch) -> None:
    page = (scratch.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    (scratch.folder / "CHANGELOG.md").write_text(page.replace("### Added", "### New", 1), encoding="utf-8")
    scratch.commit("Another heading")
    assert_it_stops(scratch, "7.8.9", "CHANGELOG.md: ## [Unreleased]: 'New' has to be one of ")


def test_it_stops_at_stale_locks(scratch: Scratch) -> None:
    scratch.add("fails-lock")
    assert_it_stops(scratch, "7.8.9", "requirements/dev.txt do not follow from pyproject.toml: make lock UPGRADE=")


def test_it_stops_if_the_site_does_not_build(scratch: Scratch) -> None:
    scratch.add("fails-site")
    assert_it_stops(scratch, "7.8.9", " site\n")


def test_it_stops_at_a_file_that_does_not_belong_into_the_package(scratch: Scratch) -> None:
    scratch.add("cobot_oidc/notes.txt")
    assert_it_stops(scratch, "7.8.9", "cobot_oidc/notes.txt is of a kind that the package does not need: ")


def test_it_stops_if_ci_fails(scratch: Scratch) -> None:
    scratch.add("fails-in-ci")
    assert_it_stops(scratch, "7.8.9", ".ci/run failed: ")


def test_the_makefile_has_what_a_release_calls() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^release: .*\n\t@\$\(VENV\)/bin/python -m tools\.release \$\(VERSION\)$", makefile, re.MULTILINE)
    assert re.search(r"^lock: .*\$\(INSTALLED\)", makefile, re.MULTILINE)
    assert makefile.count("pip compile --quiet $(UPGRADE)") == 4

"""What users get with ``pip install cobot-oidc``, which version it says, and what ``make`` announces to developers."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import cobot_oidc

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "cobot_oidc"
PYPROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
ANNOUNCE = REPOSITORY / "tools" / "announce"
PINNED = {"joserfc"}  # Authlib brings it, but would accept an older one
PART_OF_FLASK = {"blinker"}  # Flask's own signals
OF_TYPE_CHECKERS = {"typing-extensions"}  # they know it without the package; nothing else imports it


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def imported(files: list[Path]) -> set[str]:
    """The distributions whose packages these modules import."""
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    packages = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    packages |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    found = packages_distributions()
    return {canonicalize_name(name) for package in packages for name in found.get(package.partition(".")[0], [])}


def minimum(requirement: str) -> tuple[str, str]:
    parsed = Requirement(requirement)
    [specifier] = parsed.specifier
    assert specifier.operator == ">=", requirement
    return canonicalize_name(parsed.name), specifier.version


# ---------------------------------------------------------------------- users


def test_users_install_what_production_imports_and_nothing_else() -> None:
    production = [file for file in PACKAGE.rglob("*.py") if not {"standin", "testing"}.intersection(file.parts)]
    extras = names([line for lines in PROJECT["optional-dependencies"].values() for line in lines])

    assert names(PROJECT["dependencies"]) == (imported(production) | PINNED) - PART_OF_FLASK - OF_TYPE_CHECKERS - extras


def test_the_extras_of_users_are_the_stand_in_and_redis() -> None:
    assert set(PROJECT["optional-dependencies"]) == {"standin", "redis"}
    assert set(metadata("cobot-oidc").get_all("Provides-Extra", [])) == {"standin", "redis"}


# ---------------------------------------------------------------------- the version


def test_the_package_says_its_version() -> None:
    assert cobot_oidc.__version__ == PROJECT["version"] == version("cobot-oidc")


def test_the_version_is_not_looked_up_before_somebody_asks() -> None:
    program = """
import sys
import cobot_oidc
assert "importlib.metadata" not in sys.modules
assert cobot_oidc.__version__
assert "flask" not in sys.modules
"""
    subprocess.run([sys.executable, "-S", "-c", program], check=True, env=paths())  # noqa: S603 - our own text


def paths() -> dict[str, str]:
    """The same packages without ``site``, which may import what an editable install brings."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


# ---------------------------------------------------------------------- developers


def test_the_lowest_versions_are_those_that_pyproject_allows() -> None:
    groups = PYPROJECT["dependency-groups"]
    direct = [*PROJECT["dependencies"], *groups["test"], *groups["docs"], *groups["build"]]
    direct += [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    locked = (REPOSITORY / "requirements" / "lowest.txt").read_text(encoding="utf-8")
    chosen = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", locked, re.MULTILINE))

    for name, lowest in map(minimum, direct):
        assert Version(chosen[name]) == Version(lowest), f"{name}: make lock, or another package needs a newer one"


def announced(environment: Path, *programs: str, on_path: Path) -> str:
    """What ``make`` says before it installs, on a machine that has the programs of one folder alone."""
    command = [str(ANNOUNCE), str(environment), "requirements/dev.txt", *programs]
    machine = {"PATH": str(on_path), "VENV": str(environment)}
    done = subprocess.run(command, cwd=REPOSITORY, env=machine, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == ""
    return done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with apt-get, where we are root, and nothing else that tests need."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("sh", "dirname", "find"):
        (folder / program).symlink_to(str(shutil.which(program)))
    for program, script in {"apt-get": "exit 1", "id": "echo 0"}.items():
        add_program(folder, program, script)
    return folder


def add_program(folder: Path, name: str, script: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.mark.skipif(sys.platform == "darwin", reason="Chromium is found outside of PATH too")
def test_one_line_says_what_is_about_to_be_installed_and_why(machine: Path, tmp_path: Path) -> None:
    said = announced(tmp_path / "venv", "chromium", "redis-server", on_path=machine)

    assert said == (
        f"Installing what is missing: Python packages into {tmp_path / 'venv'} (requirements/dev.txt), "
        "which takes about a minute; chromium with apt-get (tests in a browser); "
        "redis-server with apt-get (tests with a real Redis).\n"
    )


def test_nothing_is_said_if_everything_is_there(machine: Path, tmp_path: Path) -> None:
    add_program(machine, "chromium")
    add_program(machine, "redis-server")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "installed").touch()

    assert announced(tmp_path / "venv", "chromium", "redis-server", on_path=machine) == ""
    assert "chromium" not in announced(tmp_path / "other", "chromium", "redis-server", on_path=machine)


def test_packages_that_were_installed_for_older_requirements_are_announced(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "installed").touch()
    os.utime(tmp_path / "venv" / "installed", (0, 0))

    assert "Python packages" in announced(tmp_path / "venv", on_path=machine)


def test_make_announces_before_it_installs() -> None:
    command = ["make", "--dry-run", "--no-print-directory", "VENV=build/none", "test"]
    planned = subprocess.run(command, cwd=REPOSITORY, env=clean(), capture_output=True, text=True, check=True)  # noqa: S603

    first, *others = planned.stdout.splitlines()
    programs = "chromium firefox redis-server nginx apache2"
    assert first == f'tools/announce "build/none" "requirements/dev.txt" {programs}'
    assert any("pip install" in line for line in others)


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}

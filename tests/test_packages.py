"""The wheel and the sdist: whoever builds them gets the same bytes, and nothing in them is missing or too much."""

import io
import os
import shutil
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from trove_classifiers import classifiers

from tools.package import Package, build, problems, tracked

REPOSITORY = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEW_FILES_TOO = ("--others", "--exclude-standard")
EPOCH = 1_800_000_000


def clone(folder: Path, *, written_at: int) -> Path:
    """What git knows or is about to know of this working tree, at another place and time."""
    for path in tracked(REPOSITORY, *NEW_FILES_TOO):
        copy = folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / path, copy)
        os.utime(copy, (written_at, written_at))
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("one")
    return build(clone(folder / "cobot", written_at=1_500_000_000), folder, epoch=EPOCH)


@pytest.fixture
def umask() -> Iterator[None]:
    """Another person's: files that nobody else may read."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_two_people_build_the_same_bytes_at_other_places_and_times(package: Package, tmp_path: Path) -> None:
    other = build(clone(tmp_path / "somewhere" / "else", written_at=1_700_000_000), tmp_path, epoch=EPOCH)

    assert other.wheel.name == package.wheel.name
    assert other.wheel.read_bytes() == package.wheel.read_bytes()
    assert other.sdist.read_bytes() == package.sdist.read_bytes()


def test_the_sdist_builds_the_same_wheel(package: Package, tmp_path: Path) -> None:
    with tarfile.open(package.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [unpacked] = tmp_path.iterdir()

    again = build(unpacked, tmp_path, epoch=EPOCH)

    assert again.wheel.read_bytes() == package.wheel.read_bytes()


def test_nothing_is_missing_and_nothing_too_much(package: Package) -> None:
    known = tracked(REPOSITORY, *NEW_FILES_TOO)

    assert list(problems(package, known)) == []
    with zipfile.ZipFile(package.wheel) as wheel:
        inside = wheel.namelist()
    for expected in (
        "cobot_oidc/py.typed",
        "cobot_oidc/static/pages.css",
        "cobot_oidc/templates/cobot_oidc/error.html",
        "cobot_oidc/translations/de/LC_MESSAGES/cobot_oidc.mo",
        f"cobot_oidc-{PROJECT['version']}.dist-info/licenses/LICENSE",
    ):
        assert expected in inside
    assert not [path for path in inside if "test_" in path or path.startswith(("tests/", "example_app/"))]


def without(path: str) -> Callable[[set[str]], set[str]]:
    return lambda known: known - {path}


def along_with(path: str) -> Callable[[set[str]], set[str]]:
    return lambda known: known | {path}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("cobot_oidc/urls.py"), "The wheel has what does not belong there: cobot_oidc/urls.py."),
        (along_with("cobot_oidc/lost.html"), "The wheel lacks cobot_oidc/lost.html."),
        (along_with("docs/lost.png"), "The sdist lacks docs/lost.png."),
        (along_with("cobot_oidc/notes.docx"), "cobot_oidc/notes.docx is of a kind that the package does not need: "),
        (along_with("docs/.env.local"), "docs/.env.local must not leave this repository: "),
        (along_with("cobot_oidc/fr.po"), "cobot_oidc/fr.po is not compiled: make translations."),
        (without("cobot_oidc/py.typed"), "cobot_oidc/py.typed is missing, "),
    ],
    ids=["surplus", "missing", "missing-docs", "kind", "secret", "translation", "types"],
)
def test_what_is_wrong_with_the_contents_is_said(
    package: Package, change: Callable[[set[str]], set[str]], said: str
) -> None:
    known = change(set(tracked(REPOSITORY, *NEW_FILES_TOO)))

    assert [sentence for sentence in problems(package, known) if sentence.startswith(said)]


def test_the_metadata_are_complete(package: Package) -> None:
    with zipfile.ZipFile(package.wheel) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parse(io.StringIO(wheel.read(name).decode("utf-8")))

    assert metadata["Name"] == "cobot-oidc"
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"]
    assert metadata["Keywords"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()) == (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert metadata.get_all("Project-URL") is None  # there is no address of ours yet
    assert set(metadata.get_all("Classifier", [])) <= set(classifiers)
    assert {"Framework :: Flask", "Typing :: Typed"} <= set(metadata.get_all("Classifier", []))
    assert {Requirement(line).name for line in metadata.get_all("Requires-Dist", [])} >= {"flask", "redis"}

"""The documentation as a whole: links that lead somewhere, a navigation without gaps, a reference without gaps."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

import cobot_oidc
import cobot_oidc.protocol
import cobot_oidc.testing
from tools import site

from .pictures import LARGEST, PICTURES
from .samples import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [*REPOSITORY.glob("*.md"), *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its samples."""
    return site.outside_of_fences(page.read_text(encoding="utf-8"), lambda text: text, lambda _: "")


def anchors(page: Path) -> set[str]:
    """What a code host calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {slug(heading) for heading in headings}


def slug(heading: str) -> str:
    kept = [
        character for character in heading.lower() if character in " -_" or unicodedata.category(character)[0] in "LN"
    ]
    return "".join(kept).replace(" ", "-")


def dead_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose(page)):
        path, _, anchor = unquote(link).partition("#")
        if ":" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_to_a_file_and_to_a_heading(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_every_page_is_in_the_navigation_once() -> None:
    pages = [
        path.relative_to(DOCS).with_suffix("").as_posix()
        for path in DOCS.rglob("*.*")
        if path.suffix in (".md", ".rst")
    ]
    parts = site.navigation((DOCS / "index.md").read_text(encoding="utf-8"), pages)
    listed = [entry.page for entries in parts.values() for entry in entries]

    assert sorted(listed) == sorted(set(pages) - {"index"})
    assert set(site.PLACES.values()) < set(parts)


def test_every_page_is_listed_in_the_index_itself() -> None:
    """On a code host it is the only list: the site adds what is missing, so that its navigation shows no gap."""
    index = DOCS / "index.md"
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(prose(index)) if ":" not in link}
    unlisted = {path for path in DOCS.rglob("*.*") if path.suffix in (".md", ".rst")} - linked - {index}

    assert {str(path.relative_to(DOCS)) for path in unlisted} == set()


def test_a_new_page_is_listed_by_its_folder_and_a_stray_one_is_not() -> None:
    index = "## How-to guides\n\n- [One](how-to/one.md): first\n"
    parts = site.navigation(index, ["index", "how-to/one", "how-to/two", "settings", "elsewhere/three"])

    assert parts == {
        "How-to guides": [site.Entry("how-to/one", "One"), site.Entry("how-to/two", None)],
        "Reference": [site.Entry("settings", None)],
    }
    assert "\nOne <how-to/one>\nhow-to/two\n" in site.toctrees(parts)


@pytest.mark.parametrize(
    ("page", "link", "in_the_site"),
    [
        ("api", "[a](errors.md#x)", "[a](errors.md#x)"),
        ("how-to/views", "[a](../api.md)", "[a](../api.md)"),
        ("how-to/views", "[a](../../SECURITY.md#x)", "[a](../security.md#x)"),
        ("api", "[a](../README.md)", "[a](index.md)"),
        ("api", "[`a`](../example_app/)", "`a`"),
        ("api", "[a](nowhere.md)", "[a](nowhere.md)"),
        ("security", "[a](docs/api.md)", "[a](api.md)"),
        ("api", "[a](https://example.org/)", "[a](https://example.org/)"),
        ("api", "```text\n[a](../README.md)\n```", "```text\n[a](../README.md)\n```"),
    ],
)
def test_links_work_on_a_code_host_and_in_the_site(page: str, link: str, in_the_site: str) -> None:
    assert site.in_the_site(link, page) == in_the_site


def test_a_repository_that_has_an_address_is_linked() -> None:
    text = site.in_the_site("[a](../example_app/)", "api", "https://code.example/blob/main")

    assert text == "[a](https://code.example/blob/main/example_app)"


@pytest.mark.parametrize(
    "module", [cobot_oidc, cobot_oidc.protocol, cobot_oidc.testing], ids=lambda module: module.__name__
)
def test_every_public_name_is_in_the_reference(module: object) -> None:
    reference = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.rst"))
    described = {
        name.rpartition(".")[2] for name in re.findall(r"^\.\. \S+:: (cobot_oidc\S+)$", reference, re.MULTILINE)
    }

    assert described >= set(dir(module))


def test_every_picture_is_shown_somewhere_and_small() -> None:
    shown = {Path(link).name for page in PAGES for link in LINK.findall(prose(page)) if "pictures/" in link}
    pictures = {path.name: path.stat().st_size for path in PICTURES.iterdir()}

    assert set(pictures) == shown
    assert [name for name, size in pictures.items() if not 0 < size < LARGEST] == []

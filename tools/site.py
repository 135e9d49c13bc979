"""What docs/conf.py does to the pages, so that they are plain Markdown on a code host and one whole in the site.

The navigation is written once, as the lists of links in docs/index.md. A link out of docs/ leads to the page of the
site that shows that file, or else to the repository.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Files at the top of the repository that the site shows, by the page that stands for each in docs/.
SHOWN = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md", "security": "SECURITY.md"}
# Where pages go that docs/index.md does not list, by their folder.
PLACES = {"how-to": "How-to guides", "explanation": "Explanation", "reference": "Reference", "": "Reference"}

_SECTION = re.compile(r"^## (?P<caption>.+)\n(?P<body>(?:(?!## ).*\n)*)", re.MULTILINE)
_ITEM = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<path>[^)#:]+)\)", re.MULTILINE)
_FENCED = re.compile(r"^(?P<fence> *(?:```+|~~~+)).*\n(?:.*\n)*?(?P=fence)$", re.MULTILINE)
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")


class Entry(NamedTuple):
    """One line of the navigation; without a title, the page's own is shown."""

    page: str
    title: str | None


def navigation(index: str, pages: Collection[str]) -> dict[str, list[Entry]]:
    """The parts of the site by caption: what docs/index.md lists, and after it the other pages that have a place.

    :param index: the text of docs/index.md.
    :param pages: the names of all pages, without their suffix.
    """
    parts = {section["caption"]: list(_listed(section["body"])) for section in _SECTION.finditer(index)}
    parts = {caption: entries for caption, entries in parts.items() if entries}
    listed = {entry.page for entries in parts.values() for entry in entries} | {"index"}
    for page in sorted(set(pages) - listed):
        folder = str(PurePosixPath(page).parent).removeprefix(".")
        if folder in PLACES:
            parts.setdefault(PLACES[folder], []).append(Entry(page, None))
    return parts


def toctrees(parts: dict[str, list[Entry]]) -> str:
    """The navigation as Sphinx wants it."""
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{''.join(map(_line, entries))}```\n"
        for caption, entries in parts.items()
    )


def in_the_site(text: str, page: str, repository: str | None = None) -> str:
    """The text of a page with links that work in the site.

    :param page: its name, without the suffix.
    :param repository: the URL under which a code host shows the repository's files; without one, links to files that
        are not in the site become plain text.
    """
    folder = (DOCS / page).parent
    source = ROOT if page in SHOWN else folder

    def link(match: re.Match[str]) -> str:
        target = (source / match["path"]).resolve()
        shown = _page_of(target)
        if shown is not None:
            return f"[{match['text']}]({Path(os.path.relpath(shown, folder)).as_posix()}{match['anchor'] or ''})"
        if not target.exists():
            return match[0]  # which Sphinx then warns of
        inside = target.relative_to(ROOT).as_posix()
        return f"[{match['text']}]({repository}/{inside})" if repository else match["text"]

    return outside_of_fences(text, lambda part: _LINK.sub(link, part))


def outside_of_fences(
    text: str, change: Callable[[str], str], fenced: Callable[[str], str] = lambda block: block
) -> str:
    """The text, changed outside of its fenced blocks in one way, and within them in another."""
    parts, end = list[str](), 0
    for block in _FENCED.finditer(text):
        parts += [change(text[end : block.start()]), fenced(block[0])]
        end = block.end()
    return "".join([*parts, change(text[end:])])


def _page_of(target: Path) -> Path | None:
    if target.is_relative_to(DOCS):
        return target
    names = {ROOT / file: page for page, file in SHOWN.items()} | {ROOT / "README.md": "index"}
    return DOCS / f"{names[target]}.md" if target in names else None


def _listed(body: str) -> Iterator[Entry]:
    for item in _ITEM.finditer(body):
        yield Entry(item["path"].removesuffix(".md").removesuffix(".rst"), item["title"].replace("`", ""))


def _line(entry: Entry) -> str:
    return f"{entry.title} <{entry.page}>\n" if entry.title else f"{entry.page}\n"

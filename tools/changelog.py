"""CHANGELOG.md as Keep a Changelog 1.1.0 has it: what is wrong with its form, and how a release is written into it."""

import itertools
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

PAGE = Path(__file__).parents[1] / "CHANGELOG.md"
UNRELEASED = "## [Unreleased]"
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

_SECTION = re.compile(r"^(?=## )", re.MULTILINE)
_KIND = re.compile(r"^### (.*)\n((?:(?!### ).*\n?)*)", re.MULTILINE)
_RELEASE = re.compile(r"## \[(?P<version>\S+)\] - (?P<day>\d{4}-\d\d-\d\d)")
_ENTRY = re.compile(r"- \S(?:.*\n  \S)*.*\n", re.MULTILINE)


class Release(NamedTuple):
    """A version, and the day on which it came out."""

    version: Version
    day: date


def releases(page: str) -> list[Release]:
    """The dated sections, from the top.

    :raises ValueError: if a heading is neither that of a release nor "Unreleased", which comes first.
    """
    headings = [section.partition("\n")[0] for section in _SECTION.split(page)[1:]]
    if not headings or headings[0] != UNRELEASED:
        raise ValueError(f"The first section has to be '{UNRELEASED}'.")
    found: list[Release] = []
    for heading in headings[1:]:
        match = _RELEASE.fullmatch(heading)
        try:
            if match is None:
                raise ValueError
            found.append(Release(Version(match["version"]), date.fromisoformat(match["day"])))
        except (InvalidVersion, ValueError):
            raise ValueError(f"'{heading}' has to read '## [1.2.3] - 2026-11-24'.") from None
    return found


def problems(page: str, *, today: date) -> Iterator[str]:
    """What Keep a Changelog does not allow, in sentences."""
    try:
        dated = releases(page)
    except ValueError as error:
        yield str(error)
        return
    for newer, older in itertools.pairwise(dated):
        if newer.version <= older.version or newer.day < older.day:
            yield f"{newer.version} has to be newer than {older.version}, which comes after it."
    for release in dated:
        if release.day > today:
            yield f"{release.version} is of a day that is still to come: {release.day}."
    for section in _SECTION.split(page)[1:]:
        yield from _problems_of(section)


def _problems_of(section: str) -> Iterator[str]:
    heading, _, text = section.partition("\n")
    kinds = [kind for kind, _ in _KIND.findall(text)]
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        yield f"{heading}: '{unknown[0]}' has to be one of {', '.join(KINDS)}."
    elif kinds != sorted(set(kinds), key=KINDS.index):
        yield f"{heading}: each of {', '.join(KINDS)} comes once at most, in this order."
    if not kinds and heading != UNRELEASED:
        yield f"{heading} has no entries."
    if _KIND.sub("", text).strip():
        yield f"{heading}: every entry stands below a heading such as '### Added'."
    for kind, entries in _KIND.findall(text):
        if not entries.strip() or _ENTRY.sub("", entries).strip():
            yield f"{heading}, {kind}: entries begin with '- ', and their further lines with two blanks."


def released(page: str, version: str, day: date) -> str:
    """The page with what is unreleased as this version.

    :raises ValueError: if there is nothing that could be released.
    """
    before, _, after = page.partition(f"{UNRELEASED}\n")
    if not _KIND.search(_SECTION.split(after)[0]):
        raise ValueError("CHANGELOG.md says of nothing under 'Unreleased' that could be released.")
    return f"{before}{UNRELEASED}\n\n## [{version}] - {day.isoformat()}\n{after}"

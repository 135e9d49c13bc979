"""CHANGELOG.md as Keep a Changelog has it, and what a release does to it."""

import tomllib
from datetime import UTC, date, datetime

import pytest
from packaging.version import Version

from tools.changelog import PAGE, problems, released, releases

TODAY = date(2026, 11, 28)
GOOD = """\
# Changelog

## [Unreleased]

### Added

- Something new,
  in two lines.

### Fixed

- Something old.

## [0.2.0] - 2026-11-25

### Security

- Something else.

## [0.1.0] - 2026-11-24

### Added

- Everything.
"""


def test_our_changelog_is_well_formed() -> None:
    assert list(problems(PAGE.read_text(encoding="utf-8"), today=datetime.now(UTC).date())) == []


def test_the_newest_section_with_a_date_is_the_packages_version() -> None:
    project = tomllib.loads((PAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert releases(PAGE.read_text(encoding="utf-8"))[0].version == Version(project["version"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("## [Unreleased]\n", "## Unreleased\n", "The first section has to be '## [Unreleased]'."),
        ("## [0.2.0] - 2026-11-25", "## 0.2.0", "'## 0.2.0' has to read "),
        ("## [0.2.0] - 2026-11-25", "## [0.2.0] - 2026-13-25", "'## [0.2.0] - 2026-13-25' has to read "),
        ("## [0.2.0]", "## [zwei]", "'## [zwei] - 2026-11-25' has to read "),
        ("## [0.2.0]", "## [0.0.9]", "0.0.9 has to be newer than 0.1.0, which comes after it."),
        ("2026-11-25", "2026-11-23", "0.2.0 has to be newer than 0.1.0, which comes after it."),
        ("2026-11-25", "2026-11-29", "0.2.0 is of a day that is still to come: 2026-11-29."),
        ("### Security", "### Safety", "## [0.2.0] - 2026-11-25: 'Safety' has to be one of Added, "),
        ("### Fixed", "### Added", "## [Unreleased]: each of Added, "),
        ("### Added\n\n- Something new", "### Security\n\n- Something new", "## [Unreleased]: each of Added, "),
        ("### Security\n\n- Something else.\n", "", "## [0.2.0] - 2026-11-25 has no entries."),
        ("### Security\n\n", "", "## [0.2.0] - 2026-11-25: every entry stands below a heading "),
        ("- Something old.", "Something old.", "## [Unreleased], Fixed: entries begin with '- '"),
        ("  in two lines.", "in two lines.", "## [Unreleased], Added: entries begin with '- '"),
        ("- Something old.\n", "", "## [Unreleased], Fixed: entries begin with '- '"),
    ],
)
def test_what_is_not_well_formed_is_said(old: str, new: str, said: str) -> None:
    assert list(problems(GOOD, today=TODAY)) == []
    assert old in GOOD

    assert [sentence for sentence in problems(GOOD.replace(old, new, 1), today=TODAY) if sentence.startswith(said)]


def test_a_release_takes_what_is_unreleased_and_leaves_room_for_more() -> None:
    page = released(GOOD, "0.3.0", TODAY)

    assert list(problems(page, today=TODAY)) == []
    assert [str(release.version) for release in releases(page)] == ["0.3.0", "0.2.0", "0.1.0"]
    assert "## [Unreleased]\n\n## [0.3.0] - 2026-11-28\n\n### Added\n\n- Something new," in page
    with pytest.raises(ValueError, match="nothing under 'Unreleased'"):
        released(page, "0.4.0", TODAY)

"""docs/cobot.md: every line is marked, and what it says about our code exists."""

import re
from pathlib import Path

from cobot_oidc.settings import KEYS

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docs" / "cobot.md").read_text(encoding="utf-8")
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("\n## ")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| mark ")
]


def test_every_line_is_marked() -> None:
    assert [line for line in LINES if len(line) != 3 or line[0] not in ("known", "likely", "assumed")] == []


def test_the_settings_and_files_that_it_names_exist() -> None:
    assert set(re.findall(r"`(COBOT_OIDC_[A-Z_]+[A-Z])`", PAGE)) <= KEYS
    assert [name for name in re.findall(r"`(cobot_oidc/[\w/]+\.py)`", PAGE) if not (REPOSITORY / name).is_file()] == []


def test_sections_that_code_refers_to_exist() -> None:
    sections = set(re.findall(r"^## (\d)\. ", PAGE, re.MULTILINE))
    code = "".join(file.read_text(encoding="utf-8") for file in (REPOSITORY / "cobot_oidc").rglob("*.py"))

    assert {
        section for pair in re.findall(r"docs/cobot\.md (\d)(?:-(\d))?", code) for section in pair if section
    } <= sections

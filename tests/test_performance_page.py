"""docs/performance.md shows each table under the heading of the script that printed it."""

import re
from pathlib import Path

import pytest

from benchmarks.tables import BLOCK, LOGIN_FAR_AWAY, LOGIN_NEXT_DOOR, STARTUP, TABLES
from tools.performance_page import PAGE, brought_up_to_date, printed

REPOSITORY = Path(__file__).parents[1]
OLD, NEW = [("we", "1.00", "7")], [("we", "0.90", "6")]


def tables_by_heading() -> dict[str, list[str]]:
    sections = re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {heading: [block["name"] for block in BLOCK.finditer(text)] for heading, text in sections}


def test_every_table_stands_under_the_heading_of_its_script() -> None:
    places = [(name, heading) for heading, names in tables_by_heading().items() for name in names]
    assert sorted(places) == sorted((table.name, table.heading) for table in TABLES.values())


def test_every_table_has_the_columns_that_its_script_prints() -> None:
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        titles, _, *rows = block["text"].splitlines()
        assert titles == TABLES[block["name"]].head
        assert {row.count("|") for row in rows} == {titles.count("|")}, block["name"]


def test_no_table_is_written_by_hand() -> None:
    prose = BLOCK.sub("", PAGE.read_text(encoding="utf-8"))
    assert not [line for line in prose.splitlines() if line.startswith("|")]


def test_every_script_prints_its_own_tables() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    scripts = re.search(r"^BENCHMARKS := (.*)$", makefile, re.MULTILINE)
    assert scripts is not None
    assert set(scripts[1].split()) == {table.script for table in TABLES.values()}
    for script in scripts[1].split():
        source = (REPOSITORY / "benchmarks" / f"{script}.py").read_text(encoding="utf-8")
        own = {name.upper().replace("-", "_") for name, table in TABLES.items() if table.script == script}
        imported = re.search(r"^from benchmarks\.tables import (.*)$", source, re.MULTILINE)
        assert imported is not None
        assert set(imported[1].split(", ")) == own


def test_what_a_script_printed_takes_its_place_and_the_prose_stays() -> None:
    page = f"# Costs\n\n## Before\n\ntext\n\n## {STARTUP.heading}\n\nintro\n\n{STARTUP.filled(OLD)}\n\noutro\n"

    after = brought_up_to_date(page, {"startup": STARTUP.filled(NEW)})

    assert after == page.replace("1.00", "0.90").replace("| 7 |", "| 6 |")


def test_a_table_under_another_heading_is_refused() -> None:
    page = f"## Many issuers\n\n{STARTUP.filled(OLD)}\n\n## {STARTUP.heading}\n"
    with pytest.raises(ValueError, match=f"'## {STARTUP.heading}' needs one place for the table startup"):
        brought_up_to_date(page, {"startup": STARTUP.filled(NEW)})


def test_what_was_printed_is_read_by_script_and_a_script_prints_no_table_of_another(tmp_path: Path) -> None:
    row = ("we", "1.00", "7", "", "", "")
    tables = [LOGIN_NEXT_DOOR.filled([row]), LOGIN_FAR_AWAY.filled([row])]
    (tmp_path / "login.md").write_text("\n\nA round trip:\n\n".join(["", *tables]) + "\n", encoding="utf-8")
    assert printed(tmp_path) == {"login-next-door": tables[0], "login-far-away": tables[1]}

    (tmp_path / "startup.md").write_text(tables[0], encoding="utf-8")
    with pytest.raises(ValueError, match=r"benchmarks/login.py, not of startup.py"):
        printed(tmp_path)


def test_a_row_with_another_number_of_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="startup has 3 columns, not 2"):
        STARTUP.filled([("we", "1.00")])

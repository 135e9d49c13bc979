"""``python -m tools.threats`` writes the column of tests in docs/threats.md, from the tests' markers.

All else on that page is written by hand. A test says which rows it is about: ``@pytest.mark.covers("F24", "S01")``.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from .markers import marked_tests

PAGE = Path(__file__).parents[1] / "docs" / "threats.md"
MARKER = "covers"

_ROW = re.compile(r"^\| (?P<number>[A-Z]\d\d) \| (?P<attack>[^|]+) \| (?P<outcome>[^|]+) \|(?P<tests>[^|]*)\|$", re.M)


def rows(page: str) -> list[str]:
    """The numbers of the page's rows, from the top: what code and tests call an attack or fault."""
    return [row["number"] for row in _ROW.finditer(page)]


def brought_up_to_date(page: str, tests: Mapping[str, list[str]]) -> str:
    """The page with these tests in its last column.

    :raises ValueError: for a number that is no row of the page.
    """
    if unknown := sorted(tests.keys() - set(rows(page))):
        raise ValueError(f"{', '.join(unknown)} of {tests[unknown[0]][0]} is no row of docs/threats.md")

    def row_with_tests(row: re.Match[str]) -> str:
        cell = "<br>".join(f"`{test}`" for test in tests.get(row["number"], ()))
        return f"| {row['number']} | {row['attack']} | {row['outcome']} | {cell or '–'} |"

    return _ROW.sub(row_with_tests, page)


if __name__ == "__main__":
    PAGE.write_text(brought_up_to_date(PAGE.read_text(encoding="utf-8"), marked_tests(MARKER)), encoding="utf-8")

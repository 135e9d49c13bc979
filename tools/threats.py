"""``python -m tools.threats`` writes the column of tests in docs/threats.md, from the tests' markers.

All else on that page is written by hand. A test says which rows it is about: ``@pytest.mark.covers("F24", "S01")``.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parents[1]
PAGE = _ROOT / "docs" / "threats.md"
TESTS = _ROOT / "tests"
NOT_OFFERED = "Not offered yet"
MARKER = "pytest.mark.covers"

_ROW = re.compile(r"^\| (?P<number>[A-Z]\d\d) \| (?P<attack>[^|]+) \| (?P<outcome>[^|]+) \|(?P<tests>[^|]*)\|$", re.M)


class Row(NamedTuple):
    """One attack or fault.

    :ivar number: what code and tests call it.
    :ivar is_offered: whether there is anything to attack.
    """

    number: str
    is_offered: bool


def rows(page: str) -> list[Row]:
    """The rows of the page, from the top."""
    return [Row(row["number"], row["outcome"] != NOT_OFFERED) for row in _ROW.finditer(page)]


def covering_tests(folder: Path = TESTS) -> dict[str, list[str]]:
    """The tests by the numbers of their markers, each as ``file::name``.

    :raises ValueError: for a marker that is not the decorator of a test.
    """
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.rglob("*.py")):
        for number, test in _markers(file):
            tests[number].append(f"{file.relative_to(folder).as_posix()}::{test}")
    return dict(tests)


def brought_up_to_date(page: str, tests: Mapping[str, list[str]]) -> str:
    """The page with these tests in its last column.

    :raises ValueError: for a number that is no row of the page.
    """
    if unknown := sorted(tests.keys() - {row.number for row in rows(page)}):
        raise ValueError(f"{', '.join(unknown)} of {tests[unknown[0]][0]} is no row of docs/threats.md")

    def row_with_tests(row: re.Match[str]) -> str:
        cell = "<br>".join(f"`{test}`" for test in tests.get(row["number"], ()))
        return f"| {row['number']} | {row['attack']} | {row['outcome']} | {cell or '–'} |"

    return _ROW.sub(row_with_tests, page)


def _markers(file: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    markers = {id(node): node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_marker(node)}
    for test in ast.walk(tree):
        if isinstance(test, (ast.FunctionDef, ast.AsyncFunctionDef)) and test.name.startswith("test_"):
            for decorator in test.decorator_list:
                if marker := markers.pop(id(decorator), None):
                    yield from ((str(ast.literal_eval(number)), test.name) for number in marker.args)
    for marker in markers.values():
        raise ValueError(f"{file.name}, line {marker.lineno}: {MARKER} belongs above a test")


def _is_marker(call: ast.Call) -> bool:
    return ast.unparse(call.func) == MARKER


if __name__ == "__main__":
    PAGE.write_text(brought_up_to_date(PAGE.read_text(encoding="utf-8"), covering_tests()), encoding="utf-8")

"""The list of threats, the tests' markers and every reference agree, and lead nowhere outside the repository."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import threats
from tools.markers import marked_tests

REPOSITORY = Path(__file__).parents[1]
FOLDERS = ("cobot_oidc", "docs", "example_app", "tests", "tools", "fuzz", "benchmarks", "interop")
MADE_ELSEWHERE = ("protocol/published/",)  # other projects' files
NUMBER = re.compile(r"\b([ACEFJKLMNOPRSX])(\d\d)(?:[-–]\1?(\d\d))?\b")
PAGE_NAME = re.compile(r"(?<![\w\"'./${}>-])((?:[\w-]+/|\.\./)*[\w-]+\.md)\b")


def listed() -> list[str]:
    return threats.rows(threats.PAGE.read_text(encoding="utf-8"))


def texts(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """Our own files that hold references, and what they say."""
    files = [*REPOSITORY.glob("*.md"), REPOSITORY / "Makefile", REPOSITORY / "pyproject.toml"]
    files += [file for folder in FOLDERS for suffix in suffixes for file in (REPOSITORY / folder).rglob(f"*{suffix}")]
    for file in sorted(files):
        if not any(part in file.as_posix() for part in MADE_ELSEWHERE):
            yield file, file.read_text(encoding="utf-8")


def numbers_in(text: str) -> Iterator[str]:
    for group, first, last in NUMBER.findall(text):
        yield from (f"{group}{number:02}" for number in range(int(first), int(last or first) + 1))


def comments_and_docstrings(source: str) -> str:
    """What a module says to people: all but its code, as hexadecimal text looks like numbers now and then."""
    comments = re.findall(r"#(?=[ :]).*$", source, re.MULTILINE)
    nodes = ast.walk(ast.parse(source))
    documented = (n for n in nodes if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)))
    return "\n".join([*comments, *(ast.get_docstring(node) or "" for node in documented)])


def is_there(file: Path) -> bool:
    """Whether there is a file of exactly this name, on every machine: some file systems do not mind capitals."""
    return file.parent.is_dir() and file.name in (other.name for other in file.parent.iterdir())


def test_the_page_is_up_to_date() -> None:
    page = threats.PAGE.read_text(encoding="utf-8")

    assert page == threats.brought_up_to_date(page, marked_tests(threats.MARKER)), "make docs"


def test_every_number_is_there_once_and_in_order() -> None:
    numbers = listed()

    assert len(set(numbers)) == len(numbers)
    for group in {number[0] for number in numbers}:
        own = [number for number in numbers if number[0] == group]
        assert own == [f"{group}{place:02}" for place in range(1, len(own) + 1)]


def test_every_row_has_a_test() -> None:
    tests = marked_tests(threats.MARKER)

    assert [number for number in listed() if number not in tests] == []


def test_every_line_of_the_tables_is_read_as_a_row() -> None:
    page = threats.PAGE.read_text(encoding="utf-8")

    assert re.findall(r"^\| ([A-Z]\d+)", page, re.MULTILINE) == listed()


def test_every_number_that_code_and_pages_name_is_a_row() -> None:
    known = set(listed())
    unknown = {}
    for file, text in texts(".py", ".md"):
        said = comments_and_docstrings(text) if file.suffix == ".py" else text
        if numbers := set(numbers_in(said)) - known:
            unknown[file.relative_to(REPOSITORY).as_posix()] = sorted(numbers)

    assert unknown == {}


def test_a_test_names_its_numbers_in_its_marker_and_not_beside_its_name() -> None:
    beside = re.compile(rf"^(?:\s*(?:async )?def test_.*|\s*\) -> None:)\s*#.*{NUMBER.pattern}", re.MULTILINE)

    found = [(file.name, match[0]) for file, text in texts(".py") if (match := beside.search(text))]

    assert found == []


def test_no_reference_leads_to_a_page_that_is_not_in_the_repository() -> None:
    link = re.compile(r"\]\([^)]*\)")  # in code: of a page that is made from it, and looked at there
    lost = {
        (file.relative_to(REPOSITORY).as_posix(), name)
        for file, text in texts(".py", ".md", ".html", ".css")
        for name in PAGE_NAME.findall(link.sub("", text) if file.suffix == ".py" else text)
        if not any(is_there(folder / name) for folder in (REPOSITORY, file.parent))
    }

    assert lost == set()


def test_a_marker_that_is_no_row_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"F99 of test_x\.py::test_y is no row"):
        threats.brought_up_to_date("| F01 | a | b | |\n", {"F99": ["test_x.py::test_y"]})


def test_a_marker_that_belongs_to_no_test_is_an_error(tmp_path: Path) -> None:
    lost = 'import pytest\n\nCASE = pytest.param(1, marks=pytest.mark.covers("F01"))\n'
    (tmp_path / "test_x.py").write_text(lost, encoding="utf-8")

    with pytest.raises(ValueError, match=r"test_x\.py, line 3"):
        marked_tests(threats.MARKER, tmp_path)

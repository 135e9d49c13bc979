"""Which tests carry a marker, such as ``@pytest.mark.covers("F24")``, read from their source without running it."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"


def marked_tests(name: str, folder: Path = TESTS) -> dict[str, list[str]]:
    """The tests by the arguments of their markers of this name, each as ``file::name``.

    :raises ValueError: for a marker that is not the decorator of a test.
    """
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.rglob("*.py")):
        for argument, test in _markers(f"pytest.mark.{name}", file):
            tests[argument].append(f"{file.relative_to(folder).as_posix()}::{test}")
    return dict(tests)


def _markers(marker: str, file: Path) -> Iterator[tuple[str, str]]:
    source = file.read_text(encoding="utf-8")
    if marker not in source:
        return
    tree = ast.parse(source)
    calls = {
        id(node): node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == marker
    }
    for test in ast.walk(tree):
        if isinstance(test, (ast.FunctionDef, ast.AsyncFunctionDef)) and test.name.startswith("test_"):
            for decorator in test.decorator_list:
                if call := calls.pop(id(decorator), None):
                    yield from ((str(ast.literal_eval(argument)), test.name) for argument in call.args)
    for call in calls.values():
        raise ValueError(f"{file.name}, line {call.lineno}: {marker} belongs above a test")

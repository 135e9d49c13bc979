"""Mutation testing of the protocol and its errors: each check is spoilt in turn, and some test has to notice.

``python -m tools.mutants [MODULE …]`` (``make mutants``). A mutant that survives has to be killed by a new test, or
explained in docs/mutants.md; what is neither fails the run. The scores of the modules go to the end of that page.
"""

import ast
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "mutants.md"
SCORE = "\n## The score\n"
PACKAGE = ROOT / "cobot_oidc"
SOURCES = {path.stem: path for path in (*PACKAGE.glob("protocol/*.py"), PACKAGE / "errors.py", PACKAGE / "_lazy.py")}
TESTS = ROOT / "tests" / "protocol"
NOT_LOGIC = ("__init__",)  # names
MOST_SECONDS = 120  # for one mutant; one that makes the tests hang has been noticed
PRELOADED = ("pytest", "hypothesis", "flask", "cryptography.hazmat.primitives.asymmetric.rsa", "jwt", "requests")

ERRORS_WITH_CODE = ("ConfigurationError", "JSONError", "LoginError", "ProviderError", "TokenError")

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}


class Mutant(NamedTuple):
    """One spoilt module. Its name says where and how, and does not change when lines move."""

    module: str
    name: str
    tree: ast.Module


class Score(NamedTuple):
    """How many mutants were made of a module, how many were killed, and how many survivors are explained."""

    made: int
    killed: int
    explained: int


def mutants_of(module: str) -> Iterator[Mutant]:
    """Each way to spoil one thing in a module."""
    source = SOURCES[module].read_text()
    names: dict[str, int] = {}
    for number in range(sum(1 for _ in _places(ast.parse(source)))):
        tree = ast.parse(source)
        scope, node, parent, change = list(_places(tree))[number]
        before = ast.unparse(node)
        replacement = _spoil(node, change)
        _replace(parent, node, replacement)
        name = f"{module}.{scope}: `{_line(before)}` → `{_line(ast.unparse(replacement))}`"
        names[name] = names.get(name, 0) + 1
        yield Mutant(module, name if names[name] == 1 else f"{name} ({names[name]})", ast.fix_missing_locations(tree))


def _line(code: str) -> str:
    return re.sub(r"\s+", " ", code)[:120]


def _places(tree: ast.Module) -> Iterator[tuple[str, ast.AST, ast.AST, str]]:
    def walk(node: ast.AST, scope: str, in_raise: bool) -> Iterator[tuple[str, ast.AST, ast.AST, str]]:
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "type_params", "bases"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST) or _is_documentation(node, child) or _is_type(node, child):
                    continue
                name = getattr(child, "name", "") if isinstance(child, (ast.FunctionDef, ast.ClassDef)) else ""
                if name in ("__repr__", "__str__"):
                    continue
                inner = f"{scope}.{name}".strip(".") if name else scope
                said = in_raise and not _is_code(node, child)
                for change in _changes(child, said):
                    yield inner or "module", child, node, change
                yield from walk(child, inner, isinstance(child, ast.Raise) or (in_raise and said))

    yield from walk(tree, "", False)


def _is_code(parent: ast.AST, node: ast.AST) -> bool:
    """Whether this is the code of an error of ours: what it says besides is for people."""
    return (
        isinstance(parent, ast.Call)
        and bool(parent.args)
        and node is parent.args[0]
        and ast.unparse(parent.func) in ERRORS_WITH_CODE
    )


def _is_type(parent: ast.AST, node: ast.AST) -> bool:
    return isinstance(parent, ast.Call) and ast.unparse(parent.func) == "cast" and node is parent.args[0]


def _is_documentation(parent: ast.AST, node: ast.AST) -> bool:
    """What is for people: docstrings, annotations, and the texts of errors, which docs/errors.md is made from."""
    if isinstance(parent, ast.Module) and isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_text(node):
        return True
    return isinstance(parent, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (
        (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    )


def _is_text(node: ast.Assign | ast.AnnAssign) -> bool:
    is_string = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return is_string or re.search(r"\b(Entry|Literal)\b", ast.unparse(node)) is not None


def _changes(node: ast.AST, said: bool) -> list[str]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return ["comparison"]
    if isinstance(node, ast.Compare):
        return ["first comparison", "last comparison"]
    if isinstance(node, ast.BoolOp):
        return ["and/or"]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ["not"]
    if isinstance(node, (ast.If, ast.IfExp)):
        return ["never", "always"]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        return ["operation"]
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return ["nothing"]
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        return ["none"]
    if isinstance(node, ast.Constant) and not said and isinstance(node.value, (int, str, bytes)):
        return ["constant"]
    return []


def _spoil(node: ast.AST, change: str) -> ast.AST:
    match node:
        case ast.Compare():
            place = -1 if change == "last comparison" else 0
            ops = list(node.ops)
            ops[place] = COMPARISONS[type(ops[place])]()
            return ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            return ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp():
            return node.operand
        case ast.If():
            return ast.If(ast.Constant(change == "always"), node.body, node.orelse)
        case ast.IfExp():
            return node.body if change == "always" else node.orelse
        case ast.BinOp():
            return ast.BinOp(node.left, OPERATIONS[type(node.op)](), node.right)
        case ast.Return():
            return ast.Return(ast.Constant(None))
        case ast.Constant(value=bool(flag)):
            return ast.Constant(not flag)
        case ast.Constant(value=int(number)):
            return ast.Constant(number + 1)
        case ast.Constant(value=str(text)):
            return ast.Constant(text + "X")
        case ast.Constant(value=bytes(text)):
            return ast.Constant(text + b"X")
    return ast.Pass()


def _replace(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for field, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, field, new)
        elif isinstance(value, list):
            for index, member in enumerate(value):
                if member is old:
                    value[index] = new


class _Spoilt(MetaPathFinder, Loader):
    """Gives the spoilt module to whoever imports it."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = ".".join(SOURCES[mutant.module].relative_to(ROOT).with_suffix("").parts)
        self._mutant = mutant

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.tree, f"<mutant of {self._name}>", "exec"), module.__dict__)  # noqa: S102 - our own code


def is_killed(mutant: Mutant) -> bool:
    """Whether the tests notice; those of the module itself come first."""
    child = os.fork()
    if child == 0:
        _test(mutant)
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _test(mutant: Mutant) -> None:
    with contextlib.suppress(BaseException), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        os.chdir(ROOT)
        sys.meta_path.insert(0, _Spoilt(mutant))
        own = TESTS / f"test_{mutant.module}.py"
        files = sorted(TESTS.glob("test_*.py"), key=lambda file: (file != own, file.stat().st_size))
        pytest = import_module("pytest")
        options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--override-ini=filterwarnings="]
        os._exit(int(pytest.main([*options, *map(str, files)])))
    os._exit(1)


def explained() -> set[str]:
    """The survivors that docs/mutants.md gives a reason for."""
    return set(re.findall(r"^- (.+: `.+` → `.+`(?: \(\d+\))?)$", PAGE.read_text(), re.MULTILINE))


def main(modules: list[str]) -> int:
    """Spoil, test and tell; 0 where every survivor is explained."""
    for name in PRELOADED:
        import_module(name)
    everything = [name for name in sorted(SOURCES) if name not in NOT_LOGIC]
    known = explained()
    if is_killed(Mutant("jws", "unspoilt", ast.parse(SOURCES["jws"].read_text()))):
        print("The tests fail without any mutant.")
        return 2
    unexplained = False
    scores = _scores() if modules else {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for module in modules or everything:
            mutants = list(mutants_of(module))
            killed = list(pool.map(is_killed, mutants))
            survivors = [mutant.name for mutant, dead in zip(mutants, killed, strict=True) if not dead]
            scores[module] = Score(len(mutants), sum(killed), len(known.intersection(survivors)))
            print(module, f"{sum(killed)}/{len(mutants)}", *survivors, sep="\n  ", flush=True)
            unexplained = unexplained or not known.issuperset(survivors)
    PAGE.write_text(PAGE.read_text().partition(SCORE)[0] + SCORE + _table(scores))
    return int(unexplained)


def _scores() -> dict[str, Score]:
    """What the page says of each module now."""
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    return {name: Score(*map(int, numbers)) for name, *numbers in rows if name in SOURCES}


def _table(scores: dict[str, Score]) -> str:
    rows = [*sorted(scores.items()), ("**all**", Score(*map(sum, zip(*scores.values(), strict=True))))]
    lines = [f"| {name} | {made} | {killed} | {told} | {killed / made:.1%} |" for name, (made, killed, told) in rows]
    head = ["| module | mutants | killed | explained | score |", "|---|---|---|---|---|"]
    return "\n".join(["", *head, *lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

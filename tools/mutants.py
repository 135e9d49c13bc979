"""Mutation testing of the protocol and its errors: each check is spoilt in turn, and some test has to notice.

``python -m tools.mutants [MODULE …]`` (``make mutants``). A mutant that survives has to be killed by a new test, or
explained in docs/mutants.md; what is neither fails the run. The scores of the modules go to the end of that page.
"""

import argparse
import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from .trials import ROOT, Spoilt, Trials, Verdict

PAGE = ROOT / "docs" / "mutants.md"
SCORE = "\n## The score\n"
PACKAGE = ROOT / "cobot_oidc"
SOURCES = {path.stem: path for path in (*PACKAGE.glob("protocol/*.py"), PACKAGE / "errors.py", PACKAGE / "_lazy.py")}
NOT_LOGIC = ("__init__",)  # names

ERRORS_WITH_CODE = ("APIError", "ConfigurationError", "JSONError", "LoginError", "ProviderError", "TokenError")

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
    """How many mutants of a module could be imported, how many were killed, how many survivors are explained, and when.

    :ivar commit: the one that was checked out.
    """

    made: int
    killed: int
    explained: int
    commit: str
    day: str


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
    if (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.JoinedStr)
        and ast.unparse(node).startswith("expected =")
    ):
        return True  # what an error will say
    return isinstance(parent, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (
        (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    )


def _is_text(node: ast.Assign | ast.AnnAssign) -> bool:
    """A sentence, or a table of sentences, or a type."""
    value = node.value.value if isinstance(node.value, ast.Constant) else None
    is_sentence = isinstance(value, str) and value.endswith(".")
    return is_sentence or re.search(r"\b(Entry|Literal)\b", ast.unparse(node)) is not None


def _changes(node: ast.AST, said: bool) -> list[str]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return ["comparison"]
    if isinstance(node, ast.Compare):
        return ["first comparison", "last comparison"]
    if isinstance(node, ast.BoolOp):
        return ["and/or", *(f"without {number}" for number in range(len(node.values)))]
    if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple):
        return [f"without {number}" for number in range(len(node.type.elts))]
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
        case ast.BoolOp() if change.startswith("without"):
            values = _without(node.values, change)
            return ast.BoolOp(node.op, values) if len(values) > 1 else values[0]
        case ast.ExceptHandler(type=ast.Tuple(elts=caught)):
            return ast.ExceptHandler(ast.Tuple(_without(caught, change), ast.Load()), node.name, node.body)
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


def _without(members: list[ast.expr], change: str) -> list[ast.expr]:
    left_out = int(change.removeprefix("without "))
    return members[:left_out] + members[left_out + 1 :]


def _replace(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for field, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, field, new)
        elif isinstance(value, list):
            for index, member in enumerate(value):
                if member is old:
                    value[index] = new


def explained() -> set[str]:
    """The survivors that docs/mutants.md gives a reason for."""
    return set(re.findall(r"^- (.+: `.+` → `.+`(?: \(\d+\))?)$", PAGE.read_text(), re.MULTILINE))


def main(arguments: list[str]) -> int:
    """Spoil, test and tell; 0 where every survivor is explained."""
    everything = [name for name in sorted(SOURCES) if name not in NOT_LOGIC]
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="all, if none is named")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many mutants to try at once")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.modules).difference(everything):
        parser.error(f"no such module: {' '.join(sorted(unknown))}")
    return Trials.hold(list(SOURCES.values()), lambda trials: _run(trials, asked.modules or everything, asked.jobs))


def _run(trials: Trials, modules: list[str], jobs: int) -> int:
    known = explained()
    scores = _scores()
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.check_output(command, cwd=ROOT, text=True).strip()  # noqa: S603 - our own words
    wrong = False
    for module in modules:
        mutants = list(mutants_of(module))
        verdicts = trials.verdicts([Spoilt(SOURCES[module], mutant.tree) for mutant in mutants], jobs)
        survivors = {mutant.name for mutant, verdict in zip(mutants, verdicts, strict=True) if not verdict}
        made = len(mutants) - verdicts.count(Verdict.BROKEN)
        today = datetime.now(UTC).date().isoformat()
        scores[module] = Score(made, made - len(survivors), len(known & survivors), commit, today)
        print(f"{module} {made - len(survivors)}/{made}", flush=True)
        unexplained = survivors - known
        settled = {name for name in known - survivors if name.startswith(f"{module}.")}
        _tell("survived without a reason", unexplained)
        _tell("has a reason, but was killed or is gone", settled)
        wrong = wrong or bool(unexplained or settled)
        PAGE.write_text(PAGE.read_text().partition(SCORE)[0] + SCORE + _table(scores))
    return int(wrong)


def _tell(what: str, names: set[str]) -> None:
    for name in sorted(names):
        print(f"  {what}: {name}", flush=True)


def _scores() -> dict[str, Score]:
    """What the page says of each module now."""
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| \S+ \| (\w+), (\S+) \|", PAGE.read_text(), re.MULTILINE)
    return {
        name: Score(int(made), int(killed), int(told), commit, day)
        for name, made, killed, told, commit, day in rows
        if name in SOURCES
    }


def _table(scores: dict[str, Score]) -> str:
    rows = [
        f"| {name} | {score.made} | {score.killed} | {score.explained} | {_share(score.killed, score.made)} "
        f"| {score.commit}, {score.day} |"
        for name, score in sorted(scores.items())
    ]
    made = sum(score.made for score in scores.values())
    killed = sum(score.killed for score in scores.values())
    told = sum(score.explained for score in scores.values())
    head = ["| module | mutants | killed | explained | score | at |", "|---|---|---|---|---|---|"]
    return "\n".join(["", *head, *rows, f"| **all** | {made} | {killed} | {told} | {_share(killed, made)} | |", ""])


def _share(killed: int, made: int) -> str:
    return f"{killed / made:.1%}" if made else "-"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

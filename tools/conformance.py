"""``python -m tools.conformance`` writes docs/conformance.md: what specifications demand of a client, and what we do.

The requirements are in tests/conformance/requirements/, one file for each specification. What shows that one is met are
the tests of rows of docs/threats.md, which it names, or tests that name it: ``@pytest.mark.requirement("Core-2-4")``.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .markers import TESTS, marked_tests

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"
FOLDER = TESTS / "conformance" / "requirements"
MARKER = "requirement"

STATES = {
    "done": "done",
    "in part": "in part",
    "n/a": "not applicable",
    "not": "deliberately not",
}
LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "rule")

HEAD = """\
# What the specifications demand, and what we do

This page lists what OpenID Connect and OAuth specifications demand of a client with MUST, MUST NOT, SHOULD or
SHOULD NOT, in our own words, and what this extension does about it. "(recommended)" marks what a specification calls
RECOMMENDED, and a "rule" is a sentence without such a word that a client has to follow all the same. What is demanded
of servers alone is left out, and rules for a whole flow that we do not use are one line.

- **done**: a test shows it. **in part**: tests show which part, and the line says what is left.
- **not applicable**: there is nothing that the rule could be about. **deliberately not**: we do something else; the
  line says why.

A number such as `C11` is a row of [the threats](threats.md), which lists its tests. Other tests are named; they are in
`tests/`. `make docs` writes this page from `tests/conformance/requirements/` and the tests' markers.
[The Foundation's own tests](foundation-tests.md) have a page of their own, and
[one login, step by step](how-it-works.md) lists what specifications allow and we refuse.
"""
COLUMNS = "| section | level | what is demanded | | what we do | shown by |\n|---|---|---|---|---|---|\n"


class Requirement(NamedTuple):
    """One line of a specification's table.

    :ivar number: section and number, such as ``3.1.3.7-2``. :ivar level: one of ``LEVELS``.
    :ivar state: one of ``STATES``. :ivar answer: what we do, or why not.
    :ivar rows: of docs/threats.md.
    """

    number: str
    level: str
    demand: str
    state: str
    answer: str
    rows: tuple[str, ...]

    @property
    def section(self) -> str:
        return self.number.rpartition("-")[0]

    @property
    def needs_a_test(self) -> bool:
        return self.state in ("done", "in part")


class Specification(NamedTuple):
    """One specification. ``short`` is what its requirements' names begin with."""

    name: str
    short: str
    address: str
    edition: str
    requirements: list[Requirement]

    def full_name(self, requirement: Requirement) -> str:
        return f"{self.short}-{requirement.number}"


def specifications() -> list[Specification]:
    """All of them, in the order of their files."""
    found = []
    for file in sorted(FOLDER.glob("*.toml")):
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        requirements = [
            Requirement(number, level, demand, state, answer, tuple(rows.split()))
            for number, level, demand, state, answer, rows in document.pop("rows")
        ]
        found.append(Specification(**document, requirements=requirements))
    return found


def page(tests: Mapping[str, list[str]]) -> str:
    """The whole page.

    :param tests: by the names of the requirements that they show.
    :raises ValueError: for a marker that names no requirement.
    """
    listed = specifications()
    known = {each.full_name(requirement) for each in listed for requirement in each.requirements}
    if unknown := tests.keys() - known:
        raise ValueError(f"{', '.join(sorted(unknown))}: not in {FOLDER.name}/")
    return HEAD + _summary(listed) + "".join(_part(each, tests) for each in listed)


def _summary(listed: list[Specification]) -> str:
    rows = ""
    for each in listed:
        counts = Counter(requirement.state for requirement in each.requirements)
        cells = " | ".join(str(counts[state] or "–") for state in STATES)
        rows += f"| {each.name} | {cells} |\n"
    columns = f"| specification | {' | '.join(STATES.values())} |\n|---|{'---|' * len(STATES)}\n"
    return f"\n{columns}{rows}"


def _part(each: Specification, tests: Mapping[str, list[str]]) -> str:
    rows = "".join(
        f"| {requirement.section} | {requirement.level} | {requirement.demand} | {STATES[requirement.state]} | "
        f"{requirement.answer} | {_shown_by(requirement, tests.get(each.full_name(requirement), []))} |\n"
        for requirement in each.requirements
    )
    return f"\n## {each.name}\n\n[The text]({each.address}), {each.edition}.\n\n{COLUMNS}{rows}"


def _shown_by(requirement: Requirement, tests: list[str]) -> str:
    return "<br>".join(filter(None, [" ".join(requirement.rows), *(f"`{test}`" for test in tests)])) or "–"


if __name__ == "__main__":
    PAGE.write_text(page(marked_tests(MARKER)), encoding="utf-8")

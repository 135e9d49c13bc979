"""docs/conformance.md is true: what is said to be done has a test, and every number leads somewhere."""

import re
from collections.abc import Iterator

import pytest

from tools import conformance, threats
from tools.conformance import Requirement
from tools.markers import marked_tests

SECTION = re.compile(r"\d+(\.\d+)*-\d+")


def all_requirements() -> Iterator[tuple[str, Requirement]]:
    for each in conformance.specifications():
        for requirement in each.requirements:
            yield each.full_name(requirement), requirement


def test_the_page_of_the_requirements_is_up_to_date() -> None:
    assert conformance.PAGE.read_text(encoding="utf-8") == conformance.page(marked_tests(conformance.MARKER)), (
        "make docs"
    )


def test_what_is_done_is_shown_by_a_test() -> None:
    own, of_threats = marked_tests(conformance.MARKER), marked_tests(threats.MARKER)

    shown = {
        name: name in own or any(row in of_threats for row in requirement.rows)
        for name, requirement in all_requirements()
        if requirement.needs_a_test
    }

    assert [name for name, is_shown in shown.items() if not is_shown] == []


def test_every_requirement_is_whole_and_there_once() -> None:
    names = [name for name, _ in all_requirements()]

    assert len(set(names)) == len(names)
    for name, requirement in all_requirements():
        assert SECTION.fullmatch(requirement.number), name
        assert requirement.level in conformance.LEVELS, name
        assert requirement.state in conformance.STATES, name
        assert requirement.demand, name
        assert requirement.answer, name


def test_the_requirements_of_a_section_are_numbered_from_one() -> None:
    for each in conformance.specifications():
        sections = {requirement.section for requirement in each.requirements}
        for section in sections:
            own = [requirement.number for requirement in each.requirements if requirement.section == section]
            assert own == [f"{section}-{place}" for place in range(1, len(own) + 1)]


def test_every_row_of_the_threats_that_a_requirement_names_is_there() -> None:
    known = set(threats.rows(threats.PAGE.read_text(encoding="utf-8")))

    named = {row for _, requirement in all_requirements() for row in requirement.rows}

    assert named <= known


def test_a_marker_that_names_no_requirement_is_an_error() -> None:
    with pytest.raises(ValueError, match="RFC0-1-1"):
        conformance.page({"RFC0-1-1": ["test_x.py::test_y"]})

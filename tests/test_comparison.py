"""docs/comparison.md: its tables are those of the cases and the apps, and our own column is what happens today."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.comparison.cases import LIES, NETWORK, Case, Stage
from benchmarks.comparison.page import BLOCK, PAGE, brought_up_to_date, table
from benchmarks.comparison.peers import PEERS, US

REPOSITORY = Path(__file__).parents[1]
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = {block["name"]: block["text"] for block in BLOCK.finditer(TEXT)}
SLOW = {  # these wait for a time limit, or for the moment of the next try
    "The document answers 503 while the app starts",
    "The token endpoint never answers",
    "It sends a byte every half second",
}


def cells(block: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    _, _, *rows = [re.split(r" *\| *", line.strip("|").strip()) for line in block.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize(("name", "cases"), [("network", NETWORK), ("lies", LIES)])
def test_the_rows_are_the_cases_and_the_columns_the_peers(name: str, cases: tuple[Case, ...]) -> None:
    assert list(cells(BLOCKS[name])) == [case.title for case in cases]
    assert BLOCKS[name].startswith(table(["", *(peer.name for peer in PEERS)], []))
    assert all(len(row) == len(PEERS) and all(row) for row in cells(BLOCKS[name]).values())


def test_the_lines_are_those_of_the_apps_that_were_run() -> None:
    assert cells(BLOCKS["login"])["Lines of its app in `benchmarks/comparison/apps`"] == [
        str(peer.lines) for peer in PEERS
    ]


def test_the_versions_are_the_locked_ones() -> None:
    locked = dict(
        re.findall(
            r"^([a-z-]+)==(\S+)", (REPOSITORY / "benchmarks" / "requirements.txt").read_text("utf-8"), re.MULTILINE
        )
    )
    comparison = REPOSITORY / "benchmarks" / "comparison"
    locked |= json.loads((comparison / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for peer in PEERS[1:]:
        assert f"{peer.name} {locked[peer.distribution]}" in BLOCKS["versions"], "make comparison"
    assert re.match(r"Played on \d{4}-\d\d-\d\d with ", BLOCKS["versions"])


def test_the_packages_of_node_are_locked_and_name_no_registry() -> None:
    packages = json.loads((REPOSITORY / "benchmarks" / "comparison" / "package-lock.json").read_text("utf-8"))[
        "packages"
    ]

    assert all("integrity" in package for path, package in packages.items() if path)
    assert not [path for path, package in packages.items() if "resolved" in package]


def test_every_other_cell_has_its_source() -> None:
    by_hand = BLOCK.sub("", TEXT)
    for feature, row in cells(by_hand).items():
        assert len(row) == len(PEERS), feature
        assert all(re.search(r"\[[^]]+\]\([^)]+\)", cell) for cell in row), feature


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage(US)
    yield stage
    stage.close()


QUICK = [
    (name, case) for name, cases in (("network", NETWORK), ("lies", LIES)) for case in cases if case.title not in SLOW
]


@pytest.mark.parametrize(("name", "case"), QUICK, ids=[case.title for _, case in QUICK])
def test_our_own_column_is_what_happens(stage: Stage, name: str, case: Case) -> None:
    ours, *_ = cells(BLOCKS[name])[case.title]

    assert without_seconds(case.outcome(stage)) == without_seconds(ours)
    assert not ours.startswith("**")


def without_seconds(cell: str) -> str:
    return re.sub(r" after \d+ s$", "", cell)


def test_a_page_with_other_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has the blocks \['lies'\], not \['versions'\]"):
        brought_up_to_date(
            "<!-- comparison lies: written by make comparison -->\n<!-- end of comparison -->", {"versions": ""}
        )

"""docs/interoperability.md shows what ``make interop`` printed: every provider, every check."""

import inspect
import re
from pathlib import Path

import pytest

from interop import test_logins
from interop.providers import PROVIDERS
from interop.table import BLOCK, sentence

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docs" / "interoperability.md").read_text(encoding="utf-8")


def table() -> list[list[str]]:
    found = BLOCK.search(PAGE)
    assert found is not None, "the page has no place for the table"
    rows = [row.strip("| ").split(" | ") for row in found[0].splitlines() if row.startswith("|")]
    return [row for row in rows if not row[0].startswith("---")]


def test_every_provider_has_a_column_with_its_version() -> None:
    titles, *_ = table()
    assert [title.split()[0] for title in titles] == list(PROVIDERS)
    assert all(re.search(r" \d+\.\d+", title) for title in titles)


def test_every_check_has_a_line() -> None:
    _, *rows = table()
    lines = {row[0].partition(" `")[0] for row in rows}
    checks = [name for name, _ in inspect.getmembers(test_logins, inspect.isfunction) if name.startswith("test_")]
    assert lines == {sentence(check) for check in checks}


def test_nothing_failed_and_nothing_was_left_out() -> None:
    _, *rows = table()
    assert {cell for row in rows for cell in row[1:]} <= {"ok", "not offered", "refused"}


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=list(PROVIDERS))
def test_the_package_knows_no_provider_by_name(provider: object) -> None:
    name = getattr(provider, "name", "")
    sources = (REPOSITORY / "cobot_oidc").rglob("*.py")
    assert not [path.name for path in sources if name in path.read_text(encoding="utf-8").lower()]


def test_no_lock_names_a_registry() -> None:
    locks = [lock for provider in PROVIDERS.values() for lock in provider.locks if "lock" in lock.name]
    assert locks
    assert not [lock for lock in locks if "resolved" in lock.read_text(encoding="utf-8")]

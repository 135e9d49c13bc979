"""What apps may rely on is written down, so that a change to it is seen."""

from tools import public_api

CHANGED = (
    "The public API differs from tests/public_api.txt. If that is meant, run `make api`, look at the difference, and "
    "say in CHANGELOG.md what people who upgrade have to know."
)


def test_the_public_api_is_the_one_that_is_written_down() -> None:
    assert public_api.text() == public_api.FILE.read_text(encoding="utf-8"), CHANGED

"""What apps may rely on is written down, so that a change to it is seen."""

import cobot_oidc
from tools import public_api

CHANGED = (
    "The public API differs from tests/public_api.txt. If that is meant, run `make api`, look at the difference, and "
    "say in CHANGELOG.md what people who upgrade have to know."
)


def test_the_public_api_is_the_one_that_is_written_down() -> None:
    assert public_api.text() == public_api.FILE.read_text(encoding="utf-8"), CHANGED


def test_a_public_name_is_looked_up_once_and_stays_with_the_package() -> None:
    """A view may say ``cobot_oidc.current_user`` on every page."""
    assert cobot_oidc.current_user is vars(cobot_oidc)["current_user"]

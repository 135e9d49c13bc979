"""What somebody enters to book something, where a browser would not matter."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from example_app import create_app
from example_app.booking_form import Form
from example_app.bookings import Resource

BERLIN = ZoneInfo("Europe/Berlin")
ROOM = Resource("room", "Room", None, None, None)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("01:30", "03:30", 1),  # the clocks are put forward from two to three
        ("03:00", "04:00", 1),
        ("02:30", "03:00", None),  # half past two does not exist, and means half past three
    ],
)
def test_a_booking_ends_after_it_begins_when_the_clocks_are_put_forward(
    settings: dict[str, Any], start: str, end: str, hours: int | None
) -> None:
    form = Form("room", "2026-03-29", start, end, "")
    with create_app(settings | {"COBOT_OIDC_SPACES": ["co-up"]}).test_request_context():
        span, errors = form.checked([ROOM], datetime(2026, 3, 28, 12, tzinfo=BERLIN))

    if hours is None:
        assert span is None
        assert list(errors) == ["end"]
    else:
        assert span is not None
        assert span.end.timestamp() - span.start.timestamp() == hours * 3600

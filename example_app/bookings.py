"""My bookings, from Cobot's API, in the time zone of the space. What pages say about them is in the templates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from flask import current_app

from cobot_oidc import require_user

from .extensions import oidc

MOST_ON_A_PAGE = 200  # what Cobot allows


@dataclass(frozen=True, slots=True)
class Booking:
    """A room or a desk that is mine for some time; the times are those of the space's clocks."""

    title: str | None
    resource: str | None
    start: datetime
    end: datetime


def mine(space: str, since: datetime) -> Iterator[Booking]:
    """The current user's own bookings that end after a time, the earliest first.

    Members see everybody's bookings at Cobot, so this picks theirs. It asks for another page only when it is needed.

    :param since: with the time zone in which the times are wanted.
    """
    membership = require_user().membership
    for booking in oidc.api.pages(
        "/bookings",
        filter={"space": space, "from": since.isoformat()},
        include=["resource"],
        page_size=MOST_ON_A_PAGE,
    ):
        owner = booking.get("membership")
        if membership is not None and owner is not None and owner["id"] == membership.id:
            resource = booking.get("resource") or {}
            yield Booking(
                title=booking.get("title"),
                resource=resource.get("name"),
                start=datetime.fromisoformat(booking["from"]).astimezone(since.tzinfo),
                end=datetime.fromisoformat(booking["to"]).astimezone(since.tzinfo),
            )


def now_at(space: str) -> datetime:
    """The time on the clocks of a space."""
    return datetime.now(_time_zone(space)).replace(microsecond=0)


def _time_zone(space: str) -> tzinfo:
    """The time zone of a space, for which Cobot is asked once; UTC if it has none that this machine knows."""
    zones: dict[str, tzinfo] = current_app.extensions.setdefault("portal_time_zones", {})
    if space not in zones:
        try:
            zones[space] = ZoneInfo(oidc.api.get("/api/space")["time_zone_name"])
        except (KeyError, TypeError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            zones[space] = UTC
    return zones[space]

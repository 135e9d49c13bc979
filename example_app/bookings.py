"""My bookings, from Cobot's API, in the time zone of the space. What pages say about them is in the templates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, current_app

from cobot_oidc import require_user

from .answers import amount, currency, moment
from .extensions import oidc

MOST_ON_A_PAGE = 200  # what Cobot allows


@dataclass(frozen=True, slots=True)
class Booking:
    """A room or a desk that is mine for some time; the times are those of the space's clocks."""

    title: str | None
    resource: str | None
    start: datetime
    end: datetime
    id: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A room or a desk that can be booked. ``capacity`` is in people."""

    id: str
    name: str
    capacity: int | None
    price: Decimal | None  # of an hour, before taxes
    currency: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another."""

    start: datetime
    end: datetime

    def overlaps(self, other: "Span") -> bool:
        """Whether both have a moment in common."""
        return self.start < other.end and other.start < self.end


def mine(space: str, since: datetime) -> Iterator[Booking]:
    """The current user's own bookings that end after a time, the earliest first.

    Members see everybody's bookings at Cobot, so this picks theirs. It asks for another page only when it is needed.

    :param since: with the time zone in which the times are wanted.
    """
    for booking in oidc.api.pages(
        "/bookings",
        filter={"space": space, "from": since.isoformat()},
        include=["resource"],
        page_size=MOST_ON_A_PAGE,
    ):
        if _is_mine(booking):
            yield _read(booking, since.tzinfo)


def my_booking(space: str, booking_id: str) -> Booking:
    """One of the current user's own bookings; anybody else's is not found, whatever Cobot says.

    :raises APIError: ``resource_not_found``.
    """
    booking = oidc.api.get(f"/bookings/{booking_id}", include=["resource"])
    if not _is_mine(booking):
        abort(404)
    return _read(booking, _time_zone(space))


def resources(space: str) -> list[Resource]:
    """What can be booked at a space."""
    return [_resource(each) for each in oidc.api.pages("/resources", filter={"space": space}, page_size=MOST_ON_A_PAGE)]


def taken(space: str, day: date) -> dict[str, list[Span]]:
    """When each resource is taken on a day, by its id."""
    zone = _time_zone(space)
    midnight = datetime.combine(day, time(), zone)
    found: dict[str, list[Span]] = {}
    for booking in oidc.api.pages(
        "/bookings",
        filter={
            "space": space,
            "from": midnight.isoformat(),
            "to": datetime.combine(day + timedelta(days=1), time(), zone).isoformat(),
        },
        page_size=MOST_ON_A_PAGE,
    ):
        if (resource := booking.get("resource")) is not None:
            found.setdefault(resource["id"], []).append(
                Span(moment(booking.get("from"), zone), moment(booking.get("to"), zone))
            )
    return found


def book(resource_id: str, span: Span, title: str | None) -> str:
    """Book a resource for the current user, and return the booking's id. Needs the scope ``write_bookings``.

    :raises APIError: ``request_invalid`` if the time is taken, or the space's rules do not allow it.
    """
    made = oidc.api.post(
        "/bookings",
        {
            "data": {
                "type": "bookings",
                "attributes": {"from": span.start.isoformat(), "to": span.end.isoformat(), "title": title},
                "relationships": {"resource": {"data": {"type": "resources", "id": resource_id}}},
            }
        },
    )
    return str(made["id"])


def cancel(booking_id: str) -> None:
    """Cancel a booking. Needs the scope ``write_bookings``."""
    oidc.api.delete(f"/bookings/{booking_id}")


def now_at(space: str) -> datetime:
    """The time on the clocks of a space."""
    return datetime.now(_time_zone(space)).replace(microsecond=0)


def _is_mine(booking: Mapping[str, Any]) -> bool:
    membership, owner = require_user().membership, booking.get("membership")
    return membership is not None and owner is not None and owner["id"] == membership.id


def _resource(each: Mapping[str, Any]) -> Resource:
    price = each.get("pricePerHour") or {}
    net = price.get("net")
    return Resource(
        id=each["id"],
        name=each.get("name") or each["id"],
        capacity=each.get("capacity"),
        price=None if net is None else amount(net),
        currency=None if net is None else currency(price.get("currency")),
    )


def _read(booking: Mapping[str, Any], zone: tzinfo | None) -> Booking:
    return Booking(
        id=booking["id"],
        title=booking.get("title"),
        resource=(booking.get("resource") or {}).get("name"),
        start=moment(booking.get("from"), zone),
        end=moment(booking.get("to"), zone),
    )


def _time_zone(space: str) -> tzinfo:
    """The time zone of a space, for which Cobot is asked once; UTC if it has none that this machine knows."""
    zones: dict[str, tzinfo] = current_app.extensions.setdefault("portal_time_zones", {})
    if space not in zones:
        try:
            zones[space] = ZoneInfo(oidc.api.get("/api/space")["time_zone_name"])
        except (KeyError, TypeError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            zones[space] = UTC
    return zones[space]

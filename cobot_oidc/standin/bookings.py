"""Bookings and check-ins: who may make and change them, whichever generation of the API they use."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .access import Access
from .values import Invalid, check, moment
from .world import Booking, CheckIn

Fields = Mapping[str, Any]  # resource_id, membership_id, from, to, title


def book(access: Access, space: str, fields: Fields) -> Booking:
    """Make a booking: members for themselves, admins for whom they like.

    :raises Invalid: if a field is missing or wrong, or the time is taken.
    """
    access.enter(space)
    world = access.state.world
    check(
        lambda: _resource(access, space, fields.get("resource_id")),
        lambda: _membership(access, space, fields.get("membership_id")),
        lambda: moment(fields.get("from"), "from"),
        lambda: moment(fields.get("to"), "to"),
        lambda: _title(fields.get("title")),
    )
    booking = Booking(
        id=world.new_id("booking", space),
        space=space,
        resource_id=_resource(access, space, fields.get("resource_id")),
        membership_id=_membership(access, space, fields.get("membership_id")),
        title=_title(fields.get("title")),
        start=moment(fields.get("from"), "from"),
        end=moment(fields.get("to"), "to"),
    )
    return _kept(access, booking)


def rebook(access: Access, booking: Booking, fields: Fields) -> Booking:
    """Change those fields of a booking that are given."""
    access.look_at(booking.space, booking.membership_id)
    changed = replace(
        booking,
        resource_id=_resource(access, booking.space, fields.get("resource_id", booking.resource_id)),
        title=_title(fields.get("title", booking.title)),
        start=moment(fields["from"], "from") if "from" in fields else booking.start,
        end=moment(fields["to"], "to") if "to" in fields else booking.end,
    )
    return _kept(access, changed)


def cancel(access: Access, booking: Booking) -> None:
    """Cancel a booking: one's own, or as an admin."""
    access.look_at(booking.space, booking.membership_id)
    access.state.world.cancel(booking)


def check_in(access: Access, space: str, membership_id: str | None) -> CheckIn:
    """Check a member in: oneself, or as an admin anybody.

    :raises Invalid: if nobody is named, or somebody who is not a member.
    """
    access.enter(space)
    checked = _membership(access, space, membership_id)
    if checked is None:
        raise Invalid(membership_id="can't be blank")
    return access.state.world.check_in(space, checked)


def _kept(access: Access, booking: Booking) -> Booking:
    if booking.end <= booking.start:
        raise Invalid(to="must be after from")
    if not access.state.world.keep(booking):
        raise Invalid(**{"from": "is already booked"})
    return booking


def _resource(access: Access, space: str, resource_id: Any) -> str:
    if not resource_id:
        raise Invalid(resource_id="can't be blank")
    if str(resource_id) not in access.state.world.of(space).resources:
        raise Invalid(resource_id="does not exist")
    return str(resource_id)


def _title(title: Any) -> str | None:
    if title is not None and not isinstance(title, str):
        raise Invalid(title="is not a text")
    return title or None


def _membership(access: Access, space: str, membership_id: Any) -> str | None:
    """The membership that is named, which has to be one's own for all but admins; one's own if none is named."""
    if not membership_id:
        return access.membership(space)
    if str(membership_id) not in access.state.world.members(space):
        raise Invalid(membership_id="does not exist")
    access.look_at(space, str(membership_id))
    return str(membership_id)

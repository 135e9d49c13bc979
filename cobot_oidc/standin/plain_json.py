"""What the API's first generation says about each thing; its members are those that public clients of Cobot read."""

from typing import Any

from .state import State
from .values import written
from .world import Booking, CheckIn, Invoice, Member, Plan, Resource

CURRENCY, TIME_ZONE, LOCALE = "EUR", "Europe/Berlin", "en"


def space_json(state: State, space: str) -> dict[str, Any]:
    """A space."""
    return {
        "id": space,
        "name": state.spaces[space],
        "subdomain": space,
        "url": state.space_issuer(space),
        "time_zone_name": TIME_ZONE,
        "locale": LOCALE,
        "currency": CURRENCY,
    }


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan."""
    return {
        "id": plan.id,
        "name": plan.name,
        "price_per_cycle": plan.price,
        "cycle_duration": 1,
        "currency": CURRENCY,
    }


def resource_json(resource: Resource) -> dict[str, Any]:
    """A resource."""
    return {
        "id": resource.id,
        "name": resource.name,
        "capacity": resource.capacity,
        "price_per_hour": resource.price,
        "currency": CURRENCY,
    }


def member_json(member: Member) -> dict[str, Any]:
    """A membership, as its member and admins see it."""
    membership, person = member.membership, member.person
    return {
        "id": membership.id,
        "name": membership.name,
        "email": person.email,
        "phone": membership.phone_number,
        "picture": membership.picture,
        "address": {"company": None, "name": membership.name, "full_address": None},
        "customer_number": None,
        "user": {"id": person.subject, "email": person.email},
        "plan": {"id": member.plan.id, "name": member.plan.name},
        "starts_at": "2024-04-01",
        "canceled_at": None,
    }


def booking_json(state: State, booking: Booking) -> dict[str, Any]:
    """A booking."""
    resource = state.world.of(booking.space).resources[booking.resource_id]
    hours = (booking.end - booking.start).total_seconds() / 3600
    return {
        "id": booking.id,
        "from": written(booking.start),
        "to": written(booking.end),
        "title": booking.title,
        "comments": None,
        "resource": {"id": resource.id, "name": resource.name},
        "membership": _whose(state, booking.space, booking.membership_id),
        "price": round(hours * float(resource.price), 2),
        "currency": CURRENCY,
        "units": 1,
    }


def invoice_json(state: State, invoice: Invoice) -> dict[str, Any]:
    """An invoice."""
    return {
        "id": invoice.id,
        "number": invoice.number,
        "invoice_date": str(invoice.issued),
        "due_date": str(invoice.due),
        "paid_status": "paid" if invoice.paid else "unpaid",
        "total_amount": {"net": invoice.net, "gross": invoice.gross, "currency": CURRENCY},
        "membership": _whose(state, invoice.space, invoice.membership_id),
    }


def check_in_json(state: State, check_in: CheckIn) -> dict[str, Any]:
    """A check-in."""
    return {
        "id": check_in.id,
        "valid_from": written(check_in.valid_from),
        "valid_until": written(check_in.valid_until),
        "membership": _whose(state, check_in.space, check_in.membership_id),
    }


def _whose(state: State, space: str, membership_id: str | None) -> dict[str, Any] | None:
    """A membership in brief; ``None`` if there is none, or none any more."""
    for person in list(state.people.values()):
        membership = person.memberships.get(space)
        if membership is not None and membership.id == membership_id:
            return {"id": membership.id, "name": membership.name}
    return None

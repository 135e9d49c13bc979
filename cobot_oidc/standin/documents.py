"""What the API's second generation says about each thing, as JSON:API resource objects."""

from collections.abc import Callable
from typing import Any

from .access import Access
from .json_api import Document, many, one
from .plain_json import CURRENCY, LOCALE, TIME_ZONE
from .state import State
from .values import written
from .world import Booking, CheckIn, Invoice, Member, Plan, Resource


class Documents:
    """The documents as one bearer sees them, ``None`` for anybody."""

    def __init__(self, state: State, access: Access | None) -> None:
        self._state, self._access = state, access
        self._makers: dict[str, Callable[[Any], Document]] = {
            "plans": self.plan,
            "resources": self.resource,
            "memberships": self.membership,
            "bookings": self.booking,
            "invoices": self.invoice,
            "checkIns": self.check_in,
        }

    def of(self, type_: str) -> Callable[[Any], Document]:
        """What makes a document of a type."""
        return self._makers[type_]

    def find(self, type_: str, id_: str) -> Document | None:
        """The document of a thing that another one names; ``None`` if it is not there any more."""
        if type_ == "spaces":
            return self.space(id_) if id_ in self._state.spaces else None
        thing = self.thing(type_, id_)
        return None if thing is None else self._makers[type_](thing)

    def thing(self, type_: str, id_: str) -> Any:
        """The thing of a type with this id, whose ``space`` tells where it is; ``None`` if there is none."""
        world = self._state.world
        for space in list(self._state.spaces):
            if type_ == "memberships":
                things: dict[str, Any] = world.members(space)
            else:
                things = getattr(world.of(space), "check_ins" if type_ == "checkIns" else type_)
            if id_ in things:
                return things[id_]
        return None

    def space(self, space: str) -> Document:
        """A space; its id is its subdomain."""
        return {
            "id": space,
            "type": "spaces",
            "attributes": {
                "name": self._state.spaces[space],
                "subdomain": space,
                "locale": LOCALE,
                "timeZone": TIME_ZONE,
            },
            "relationships": {"plans": many("plans", list(self._state.world.of(space).plans))},
        }

    def plan(self, plan: Plan) -> Document:
        """A plan."""
        return {
            "id": plan.id,
            "type": "plans",
            "attributes": {"name": plan.name, "price": {"net": plan.price, "currency": CURRENCY}},
            "relationships": {"space": one("spaces", plan.space)},
        }

    def resource(self, resource: Resource) -> Document:
        """A resource."""
        return {
            "id": resource.id,
            "type": "resources",
            "attributes": {
                "name": resource.name,
                "capacity": resource.capacity,
                "pricePerHour": {"net": resource.price, "currency": CURRENCY},
            },
            "relationships": {"space": one("spaces", resource.space)},
        }

    def membership(self, member: Member) -> Document:
        """A membership; others than the member and admins only see the name and the picture."""
        membership = member.membership
        attributes: dict[str, Any] = {"name": membership.name, "picture": membership.picture}
        relationships = {"space": one("spaces", member.space)}
        if self._access is not None and self._access.sees(member.space, member.id):
            attributes |= {"email": member.person.email, "phone": membership.phone_number, "canceledTo": None}
            relationships |= {"plan": one("plans", member.plan.id)}
        return {
            "id": member.id,
            "type": "memberships",
            "attributes": attributes,
            "relationships": relationships,
        }

    def booking(self, booking: Booking) -> Document:
        """A booking."""
        mine = self._access is not None and self._access.sees(booking.space, booking.membership_id)
        return {
            "id": booking.id,
            "type": "bookings",
            "attributes": {
                "from": written(booking.start),
                "to": written(booking.end),
                "title": booking.title,
                "comments": None,
                "units": 1,
                "canUpdate": mine,
            },
            "relationships": {
                "space": one("spaces", booking.space),
                "resource": one("resources", booking.resource_id),
                "membership": one("memberships", booking.membership_id),
            },
        }

    def invoice(self, invoice: Invoice) -> Document:
        """An invoice."""
        return {
            "id": invoice.id,
            "type": "invoices",
            "attributes": {
                "number": invoice.number,
                "invoiceDate": str(invoice.issued),
                "dueDate": str(invoice.due),
                "paidStatus": "paid" if invoice.paid else "unpaid",
                "totalAmount": {"net": invoice.net, "gross": invoice.gross, "currency": CURRENCY},
            },
            "relationships": {
                "space": one("spaces", invoice.space),
                "membership": one("memberships", invoice.membership_id),
            },
        }

    def check_in(self, check_in: CheckIn) -> Document:
        """A check-in."""
        return {
            "id": check_in.id,
            "type": "checkIns",
            "attributes": {"validFrom": written(check_in.valid_from), "validUntil": written(check_in.valid_until)},
            "relationships": {
                "space": one("spaces", check_in.space),
                "membership": one("memberships", check_in.membership_id),
            },
        }

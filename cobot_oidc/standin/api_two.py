"""The API's second generation: JSON:API at a host of its own (docs/cobot.md 4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, request

from . import bookings as desk
from .access import Access, authenticate
from .documents import Documents
from .json_api import BadParameter, Shape, answer, invalid, many, sent
from .state import State
from .values import Invalid, interval

READING = {  # the scope that each type needs; plans are public
    "spaces": "read_spaces",
    "memberships": "read_memberships",
    "resources": "read_resources",
    "bookings": "read_bookings",
    "invoices": "read_invoices",
    "checkIns": "read_check_ins",
}


@dataclass(frozen=True, slots=True)
class _Collection:
    """Things of one type, at ``/<path>`` and ``/spaces/<space>/<path>``."""

    path: str
    type: str
    list: Callable[[Access, str], list[Any]]  # what the bearer sees at a space that they may enter


COLLECTIONS = (
    _Collection("memberships", "memberships", lambda access, space: _own(access, space, _members(access, space))),
    _Collection("resources", "resources", lambda access, space: list(access.state.world.of(space).resources.values())),
    _Collection("bookings", "bookings", lambda access, space: access.state.world.bookings(space, *_interval())),
    _Collection("invoices", "invoices", lambda access, space: _own(access, space, _of(access, space, "invoices"))),
    _Collection("check_ins", "checkIns", lambda access, space: _own(access, space, _of(access, space, "check_ins"))),
)


def api_two(state: State) -> Blueprint:
    """The second generation of one stand-in's API."""
    blueprint = Blueprint("api_two", __name__)
    blueprint.register_error_handler(Invalid, invalid)
    _add_public(blueprint, state)
    _add_user(blueprint, state)
    for collection in COLLECTIONS:
        _add_collection(blueprint, state, collection)
    _add_writing(blueprint, state)
    return blueprint


def _add_public(blueprint: Blueprint, state: State) -> None:
    @blueprint.get("/plans", defaults={"space": None})
    @blueprint.get("/spaces/<space>/plans")
    def plans(space: str | None) -> Response:
        documents = Documents(state, None)
        named = _asked_space(state, space)
        spaces = list(state.spaces) if named is None else [named]
        found = [plan for each in spaces for plan in state.world.of(each).plans.values()]
        shape = Shape(documents.find, lambda type_: authenticate(state, READING[type_]).require(READING[type_]))
        return answer(shape.page(found, documents.plan, state.api))


def _add_user(blueprint: Blueprint, state: State) -> None:
    @blueprint.get("/user")
    def user() -> Response:
        access = authenticate(state, "read_user")
        person = access.token.person
        memberships = [membership.id for membership in person.memberships.values()]
        document = {
            "id": person.subject,
            "type": "users",
            "attributes": {"email": person.email},
            "relationships": {
                "adminOf": many("spaces", list(person.admin_of)),
                "memberOf": many("spaces", list(person.memberships)),
                "memberships": many("memberships", memberships),
            },
        }
        return answer(_shape(access).single(document))

    @blueprint.get("/spaces")
    def spaces() -> Response:
        access = authenticate(state, "read_spaces")
        return answer(_shape(access).page(access.spaces(), Documents(state, access).space, state.api))

    @blueprint.get("/spaces/<space>")
    def space(space: str) -> Response:
        access = authenticate(state, "read_spaces")
        access.enter(_asked_space(state, space) or abort(404))
        return answer(_shape(access).single(Documents(state, access).space(space)))


def _add_collection(blueprint: Blueprint, state: State, collection: _Collection) -> None:
    def listed(space: str | None = None) -> Response:
        access = authenticate(state, READING[collection.type], memberships=collection.path == "memberships")
        asked = _asked_space(state, space)
        if asked is not None:
            access.enter(asked)
        found = [thing for each in ([asked] if asked else access.spaces()) for thing in collection.list(access, each)]
        document = Documents(state, access).of(collection.type)
        return answer(_shape(access).page(found, document, state.api))

    def shown(id: str) -> Response:
        access = authenticate(state, READING[collection.type])
        thing = Documents(state, access).thing(collection.type, id) or abort(404)
        access.enter(thing.space)
        if collection.path in ("memberships", "invoices", "check_ins"):
            access.look_at(thing.space, getattr(thing, "membership_id", id))
        return answer(_shape(access).single(Documents(state, access).of(collection.type)(thing)))

    blueprint.add_url_rule(f"/{collection.path}", f"all_{collection.path}", listed)
    blueprint.add_url_rule(f"/spaces/<space>/{collection.path}", f"{collection.path}_of_space", listed)
    blueprint.add_url_rule(f"/{collection.path}/<id>", f"one_of_{collection.path}", shown)


def _add_writing(blueprint: Blueprint, state: State) -> None:
    @blueprint.post("/bookings", defaults={"space": None})
    @blueprint.post("/spaces/<space>/bookings")
    def new_booking(space: str | None) -> Response:
        access = authenticate(state, "write_bookings")
        attributes, related = sent("bookings")
        resource = Documents(state, access).thing("resources", related.get("resource") or "")
        if resource is None or space not in (None, resource.space):
            raise Invalid(resource_id="does not exist" if related.get("resource") else "can't be blank")
        booking = desk.book(access, resource.space, _fields(attributes, related))
        return answer({"data": Documents(state, access).booking(booking)}, 201)

    @blueprint.patch("/bookings/<id>")
    def changed_booking(id: str) -> Response:
        access = authenticate(state, "write_bookings")
        attributes, related = sent("bookings", id)
        booking = Documents(state, access).thing("bookings", id) or abort(404)
        changed = desk.rebook(access, booking, _fields(attributes, related))
        return answer({"data": Documents(state, access).booking(changed)})

    @blueprint.delete("/bookings/<id>")
    def cancellation(id: str) -> tuple[str, int]:
        access = authenticate(state, "write_bookings")
        desk.cancel(access, Documents(state, access).thing("bookings", id) or abort(404))
        return "", 204

    @blueprint.post("/check_ins")
    def new_check_in() -> Response:
        access = authenticate(state, "write_check_ins")
        _, related = sent("checkIns")
        member = Documents(state, access).thing("memberships", related.get("membership") or "")
        space = related.get("space") or (member.space if member else None)
        if space is None:
            raise Invalid(membership_id="does not exist" if related.get("membership") else "can't be blank")
        if space not in state.spaces:
            raise Invalid(space_id="does not exist")
        check_in = desk.check_in(access, space, related.get("membership"))
        return answer({"data": Documents(state, access).check_in(check_in)}, 201)


def _shape(access: Access) -> Shape:
    def allow(type_: str) -> None:
        if type_ in READING:
            access.require(READING[type_])

    return Shape(Documents(access.state, access).find, allow)


def _fields(attributes: dict[str, Any], related: dict[str, str | None]) -> dict[str, Any]:
    return attributes | {f"{name}_id": id_ for name, id_ in related.items()}


def _asked_space(state: State, in_path: str | None) -> str | None:
    """The space that the path or the filter names; other filters are refused."""
    for parameter in request.args:
        known = ("filter[space]", "filter[from]", "filter[to]")
        if parameter.startswith("filter[") and parameter not in known:
            raise BadParameter(parameter, f"is not one of {', '.join(known)}")
    space = in_path or request.args.get("filter[space]")
    if space is not None and space not in state.spaces:
        abort(404, f"There is no space {space}.")
    return space


def _interval() -> tuple[Any, Any]:
    try:
        return interval({name: request.args.get(f"filter[{name}]") for name in ("from", "to")})
    except Invalid as error:
        [(field, detail)] = error.fields.items()
        raise BadParameter(f"filter[{field}]", detail) from None


def _members(access: Access, space: str) -> list[Any]:
    return list(access.state.world.members(space).values())


def _of(access: Access, space: str, name: str) -> list[Any]:
    return list(getattr(access.state.world.of(space), name).values())


def _own(access: Access, space: str, things: list[Any]) -> list[Any]:
    """What is the bearer's own, or theirs to manage."""
    return [thing for thing in things if access.sees(space, getattr(thing, "membership_id", thing.id))]

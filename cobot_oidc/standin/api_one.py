"""The API's first generation: plain JSON at ``/api`` of ``www`` and of each space (docs/cobot.md 4)."""

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from . import bookings as desk
from .access import Access, authenticate, count
from .people import Person
from .plain_json import booking_json, check_in_json, invoice_json, member_json, plan_json, resource_json, space_json
from .state import AccessToken, State
from .values import Invalid, interval

LARGEST_PICTURE = 1_000_000  # bytes
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def api_one(state: State) -> Blueprint:
    """The first generation of one stand-in's API."""
    blueprint = Blueprint("api_one", __name__, url_prefix="/api")
    blueprint.register_error_handler(Invalid, lambda invalid: (jsonify({"errors": invalid.fields}), 422))
    _add_accounts(blueprint, state)
    _add_space(blueprint, state)
    _add_members(blueprint, state)
    _add_bookings(blueprint, state)
    return blueprint


def failed(error: HTTPException) -> Response:
    """An error as the first generation tells it."""
    response = jsonify({"error": error.description or error.name})
    response.status_code = error.code or 500
    response.headers.update((name, value) for name, value in error.get_headers() if name != "Content-Type")
    return response


def _add_accounts(blueprint: Blueprint, state: State) -> None:
    @blueprint.get("/user")
    def user() -> Response:
        return jsonify(_user(state, authenticate(state, "read_user", "read").token.person))

    @blueprint.get("/access_tokens/<token>")
    def access_token(token: str) -> Response:
        return jsonify({"scope": _token(state, token).scope.split()})

    @blueprint.delete("/access_tokens/<token>")
    def revocation(token: str) -> tuple[str, int]:
        del state.tokens[_token(state, token).token]
        return "", 204

    @blueprint.post("/access_tokens/<token>/space")
    def space_token(token: str) -> Response:
        known = _token(state, token)
        space = str(_body().get("space_id", ""))
        Access(state, known).administer(space)
        issued = AccessToken(secrets.token_hex(32), known.client_id, known.person, known.scope, space)
        state.tokens[issued.token] = issued
        state.secrets.add(issued.token)
        return jsonify({"scope": issued.scope, "token": issued.token, "client_id": issued.client_id})


def _add_space(blueprint: Blueprint, state: State) -> None:
    @blueprint.get("/space")
    def space() -> Response:
        return jsonify(space_json(state, _space(state)))

    @blueprint.get("/spaces/<subdomain>")
    def named_space(subdomain: str) -> Response:
        if subdomain not in state.spaces:
            abort(404)
        return jsonify(space_json(state, subdomain))

    @blueprint.get("/plans")
    def plans() -> Response:
        return jsonify([plan_json(plan) for plan in state.world.of(_space(state)).plans.values()])

    @blueprint.get("/resources")
    def resources() -> Response:
        space = _space(state)
        authenticate(state, "read_resources", "read").enter(space)
        return jsonify([resource_json(resource) for resource in state.world.of(space).resources.values()])


def _add_members(blueprint: Blueprint, state: State) -> None:
    @blueprint.get("/memberships")
    def memberships() -> Response:
        space = _space(state)
        authenticate(state, "read_memberships", "read", memberships=True).administer(space)
        return jsonify([member_json(member) for member in state.world.members(space).values()])

    @blueprint.get("/memberships/<membership_id>")
    def membership(membership_id: str) -> Response:
        access = authenticate(state, "read_memberships", "read")
        space = _space_of_membership(access, membership_id)
        return jsonify(member_json(state.world.members(space)[membership_id]))

    @blueprint.put("/memberships/<membership_id>/picture")
    def picture(membership_id: str) -> tuple[str, int]:
        access = authenticate(state, "write_memberships", "write")
        _space_of_membership(access, membership_id)
        file = request.files.get("file")
        if file is None:
            raise Invalid(file="can't be blank")
        content = file.read(LARGEST_PICTURE + 1)
        if len(content) > LARGEST_PICTURE:
            abort(413, f"The picture is larger than {LARGEST_PICTURE} bytes.")
        state.world.pictures[membership_id] = content
        return "", 204

    @blueprint.get("/invoices")
    def invoices() -> Response:
        space = _space(state)
        access = authenticate(state, "read_invoices", "read")
        access.enter(space)
        return jsonify(
            [
                invoice_json(state, invoice)
                for invoice in state.world.of(space).invoices.values()
                if access.sees(space, invoice.membership_id)
            ]
        )

    @blueprint.get("/invoices/<invoice_id>.pdf")
    def invoice_pdf(invoice_id: str) -> Response:
        space = _space(state)
        access = authenticate(state, "read_invoices", "read")
        invoice = state.world.of(space).invoices.get(invoice_id) or abort(404)
        access.look_at(space, invoice.membership_id)
        return Response(PDF, mimetype="application/pdf")


def _add_bookings(blueprint: Blueprint, state: State) -> None:
    @blueprint.get("/bookings")
    def bookings() -> Response:
        space = _space(state)
        authenticate(state, "read_bookings", "read").enter(space)
        start, end = interval(request.args)
        return jsonify([booking_json(state, booking) for booking in state.world.bookings(space, start, end)])

    @blueprint.post("/bookings")
    def new_booking() -> tuple[Response, int]:
        access = authenticate(state, "write_bookings", "write")
        return jsonify(booking_json(state, desk.book(access, _space(state), _body()))), 201

    @blueprint.delete("/bookings/<booking_id>")
    def cancellation(booking_id: str) -> tuple[str, int]:
        access = authenticate(state, "write_bookings", "write")
        desk.cancel(access, state.world.of(_space(state)).bookings.get(booking_id) or abort(404))
        return "", 204

    @blueprint.get("/check_ins")
    def check_ins() -> Response:
        space = _space(state)
        access = authenticate(state, "read_check_ins", "read")
        access.enter(space)
        seen = [
            check_in
            for check_in in list(state.world.of(space).check_ins.values())
            if access.sees(space, check_in.membership_id)
        ]
        return jsonify([check_in_json(state, check_in) for check_in in seen])

    @blueprint.post("/check_ins")
    def new_check_in() -> tuple[Response, int]:
        access = authenticate(state, "write_check_ins", "checkin", "write")
        check_in = desk.check_in(access, _space(state), _body().get("membership_id"))
        return jsonify(check_in_json(state, check_in)), 201


def _space(state: State) -> str:
    return state.space_at(request.host) or abort(404)


def _space_of_membership(access: Access, membership_id: str) -> str:
    """The space at this host, if it has the membership and the bearer may see that."""
    space = _space(access.state)
    if membership_id not in access.state.world.members(space):
        abort(404)
    access.look_at(space, membership_id)
    return space


def _body() -> Mapping[str, Any]:
    """The fields of the request, which come as a form or as JSON."""
    if not request.is_json:
        return request.form
    body = request.get_json()
    return body if isinstance(body, dict) else abort(400, "The body is not a JSON object.")


def _token(state: State, token: str) -> AccessToken:
    """The token that the path names, which is whom the request counts for."""
    known = state.tokens.get(token) or abort(404)
    count(state, known.person)
    return known


def _user(state: State, person: Person) -> dict[str, Any]:
    return {
        "id": person.subject,
        "email": person.email,
        "memberships": [
            {
                "id": membership.id,
                "space_subdomain": space,
                "space_name": state.spaces[space],
                "space_link": state.space_issuer(space),
                "link": f"{state.space_issuer(space)}/api/memberships/{membership.id}",
            }
            for space, membership in person.memberships.items()
        ],
        "admin_of": [
            {
                "space_subdomain": space,
                "space_name": state.spaces[space],
                "space_link": state.space_issuer(space),
                "name": person.name,
            }
            for space in person.admin_of
        ],
    }

"""An app as its developer types it: what ``make lint`` has mypy and pyright check. Nobody runs it."""

from collections.abc import Mapping
from typing import Any, assert_type

from flask import Blueprint, Flask, jsonify, render_template
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from cobot_oidc import (
    AnonymousUser,
    APIError,
    CobotAPI,
    CobotOIDC,
    CobotOIDCError,
    Me,
    Membership,
    SpaceToken,
    User,
    admin_required,
    current_space,
    current_user,
    current_users,
    from_view_arg,
    login_failed,
    login_required,
    membership_required,
    oidc_event,
    require_membership,
    require_user,
    requires_scope,
    user_logged_in,
)

app = Flask(__name__)
oidc = CobotOIDC(app, space=from_view_arg("space"))
api = Blueprint("api", __name__)


@oidc.authorization_request
def ask_for_more(space: str | None, next_path: str | None) -> dict[str, str] | None:
    return {"acr_values": space} if space and next_path else None


assert_type(ask_for_more("co-up", None), dict[str, str] | None)


@CobotOIDC().authorization_request
async def ask_somebody(_space: str | None, _next_path: str | None) -> dict[str, object]:
    return {"max_age": 300}


@app.get("/")
@login_required
def home() -> str:
    return f"Hello {require_user().subject}"


@app.get("/<space>/desk")
@login_required
async def desk(space: str) -> str:
    return render_template("desk.html", space=space)


@app.get("/board")
@login_required(space="co-up")
async def board() -> ResponseReturnValue:
    return jsonify(space=current_space()), 200


@api.get("/me")
@login_required(space=None)
def me() -> ResponseReturnValue:
    user = require_user()
    assert_type(user, User)
    assert_type(user.authenticated_at, int)
    return {"issuer": user.issuer, "space": user.space}


@app.get("/spaces")
@login_required()
def spaces() -> list[str]:
    assert_type(current_users(), list[User])
    return [user.space for user in current_users() if user.space is not None]


@app.get("/<space>/workplace")
@membership_required
def workplace(space: str) -> str:
    assert_type(current_user.membership, Membership | None)
    assert_type(require_user().is_admin, bool)
    assert_type(oidc.api.me(), Me)
    return space


@app.get("/<space>/people")
@admin_required(space="co-up")
@requires_scope("read_memberships")
async def people(space: str) -> list[str]:
    api: CobotAPI = oidc.api.waiting(30)
    return [booking["title"] for booking in api.pages("/bookings", filter={"space": space}, include=["resource"])]


def whole_number(number: int) -> bytes:
    return bytes(number)


def the_key_of(user: User) -> str:
    return user.get_id()


def narrowed() -> str:
    # Pyright narrows by ``is True`` alone, mypy by the bare attribute too.
    if current_user.is_authenticated is True:
        assert_type(current_user, User)
        return the_key_of(current_user)
    assert_type(current_user, AnonymousUser)
    return "nobody"


def place() -> str:
    space = current_space()
    assert_type(space, str | None)
    return space if space is not None else "everywhere"


class Desk:
    @login_required
    def of_a_method(self, number: int, *, quietly: bool = False) -> str:
        return f"{self}{number}{quietly}"


assert_type(Desk().of_a_method(1, quietly=True), str | Response)


def by_the_claims_names(user: User) -> None:
    assert_type(user.claims.get("email"), str | None)
    assert_type(user.claims.get("email_verified"), bool | None)
    if "email" in user.claims:  # pyright wants to know; mypy would take it without
        assert_type(user.claims["email"], str)
    if "amr" in current_user.claims:
        assert_type(current_user.claims["amr"], list[str])
    everything: Mapping[str, object] = user.claims
    company = user.claims.get("company")  # a claim of the provider's own
    print(everything, dict(user.claims), company)


def with_the_membership() -> str:
    membership = require_membership()
    assert_type(membership, Membership)
    return membership.id


@user_logged_in.connect_via(app)
def admit(app: Flask, user: User) -> None:
    app.logger.info(the_key_of(user))


@user_logged_in.connect_via(app)
async def greet(app: Flask, user: User, api: CobotAPI) -> None:
    app.logger.info("%s %s", user.name, api.me())


@login_failed.connect
def note(app: Flask, error: CobotOIDCError) -> None:
    app.logger.info("%s %d %s", error.code, error.status, error.correlation_id)


@oidc_event.connect_via(app)
def count(app: Flask, event: str, issuer: str | None, code: str | None, seconds: float | None) -> None:
    app.logger.info("%s %s %s %s", event, issuer, code, seconds)


admit(app, user=require_user())  # the signal leaves a handler as it is


async def more_of_the_api(space: str) -> None:
    assert_type(oidc.api.get("/api/memberships"), Any)
    for booking in oidc.api.pages("/bookings", filter={"space": space}):
        print(booking)
    token: SpaceToken = oidc.api.space_token(space)
    print(token)
    try:
        oidc.api.post("/bookings", {"title": "Standup"})
    except APIError as error:
        assert_type(error.code, str)


guarded = login_required(whole_number)
guarded(1)
login_required(space="co-up")(whole_number)(number=2)

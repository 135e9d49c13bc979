"""An app as its developer types it: what ``make lint`` has mypy and pyright check. Nobody runs it."""

from typing import assert_type

from flask import Blueprint, Flask, jsonify, render_template
from flask.typing import ResponseReturnValue

from cobot_oidc import (
    AnonymousUser,
    CobotAPI,
    CobotOIDC,
    Me,
    Membership,
    User,
    admin_required,
    current_space,
    current_user,
    current_users,
    from_view_arg,
    login_required,
    membership_required,
    require_user,
    requires_scope,
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


guarded = login_required(whole_number)
guarded(1)
login_required(space="co-up")(whole_number)(number=2)

"""The API's first generation: plain JSON at each space, and what it refuses (docs/cobot.md 4)."""

from typing import Any

import pytest
import requests

from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .asking import App

TOMORROW = {"from": "2027-03-01T09:00:00Z", "to": "2027-03-01T10:00:00+00:00"}
MEETING_ROOM = {"resource_id": "resource-co-up-1"}


def test_anybody_sees_what_a_space_is_and_costs(cobot: StandIn) -> None:
    nobody = App(cobot, None)

    space = nobody.at("co-up", "space").json()
    plans = nobody.at("co-up", "plans").json()

    assert (space["name"], space["subdomain"]) == ("co.up Coworking", "co-up")
    assert (space["time_zone_name"], space["locale"]) == ("Europe/Berlin", "en")
    assert [plan["name"] for plan in plans] == ["Flex Desk", "Fixed Desk", "Team Office"]
    assert nobody.ask(f"{cobot.issuer}/api/spaces/co-up").json() == space
    assert nobody.ask(f"{cobot.issuer}/api/plans").status_code == 404  # there is no space on www


@pytest.mark.parametrize("token", ["", "unknown-token"])
@pytest.mark.parametrize("path", ["user", "bookings", "memberships", "invoices", "check_ins", "resources"])
def test_whoever_has_no_valid_token_gets_401_with_a_sentence(cobot: StandIn, path: str, token: str) -> None:
    app = App(cobot, None)
    app.token = token

    response = app.at("co-up", path)

    assert response.status_code == 401
    assert response.json() == {"error": "The access token is missing or not valid."}
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("path", "method", "scope"),
    [
        ("user", "GET", "read_user"),
        ("resources", "GET", "read_resources"),
        ("memberships", "GET", "read_memberships"),
        ("bookings", "GET", "read_bookings"),
        ("bookings", "POST", "write_bookings"),
        ("invoices", "GET", "read_invoices"),
        ("check_ins", "GET", "read_check_ins"),
        ("check_ins", "POST", "write_check_ins"),
        ("memberships/m-grace-1/picture", "PUT", "write_memberships"),
    ],
)
def test_a_missing_scope_is_named(cobot: StandIn, path: str, method: str, scope: str) -> None:
    response = App(cobot, scope="openid email").at("co-up", path, method)

    assert response.status_code == 403
    assert response.json() == {"error": f"The access token does not have the scope {scope}."}


@pytest.mark.parametrize("path", ["user", "bookings", "invoices", "check_ins", "resources", "memberships/m-ada"])
def test_the_scope_read_is_enough_to_read(cobot: StandIn, path: str) -> None:
    assert App(cobot, "ada", "read").at("co-up", path).status_code == 200


def test_only_admins_list_memberships(cobot: StandIn) -> None:
    members = App(cobot, "alex").at("co-up", "memberships").json()

    assert [member["name"] for member in members] == ["Ada Lovelace", "Grace Hopper", "村上 春樹"]
    assert members[0]["user"] == {"id": cobot.people["ada"].subject, "email": "ada@example.org"}
    assert members[0]["plan"]["name"] in ("Flex Desk", "Fixed Desk", "Team Office")
    assert App(cobot, "grace").at("co-up", "memberships").status_code == 403
    assert App(cobot, "alex").at("nebenan", "memberships").status_code == 403


def test_members_see_their_own_membership_and_no_other(cobot: StandIn) -> None:
    ada = App(cobot, "ada")

    assert ada.at("co-up", "memberships/m-ada").json()["phone"] == "+49 30 1234567"
    assert ada.at("co-up", "memberships/m-haruki").status_code == 403
    assert ada.at("co-up", "memberships/m-nina").status_code == 404  # of another space
    assert App(cobot, "alex").at("co-up", "memberships/m-haruki").status_code == 200


def test_bookings_are_those_between_two_times(cobot: StandIn) -> None:
    app = App(cobot)
    every = app.at("co-up", "bookings").json()

    today = app.at("co-up", "bookings", params={"from": "2027-01-15T00:00:00Z", "to": "2027-01-15T14:00:01Z"}).json()

    assert len(every) == 15
    assert [booking["from"] for booking in today] == [f"2027-01-15T{hour}:00:00Z" for hour in ("08", "11", "14")]
    ended, begins = "2027-01-15T09:00:00Z", "2027-01-15T11:00:00Z"  # of the first two of that day
    assert today[0]["to"] == ended
    assert app.at("co-up", "bookings", params={"from": ended, "to": begins}).json() == []
    assert set(every[0]) == {
        *("id", "from", "to", "title", "comments", "resource", "membership", "price", "currency", "units")
    }
    assert app.at("co-up", "bookings", params={"from": "yesterday"}).json() == {"errors": {"from": "is not a time"}}


@pytest.mark.parametrize("body", ["json", "data"])
def test_a_booking_is_made_from_json_or_a_form_and_cancelled(cobot: StandIn, body: str) -> None:
    app = App(cobot, "grace")

    made: requests.Response = app.at(
        "co-up", "bookings", "POST", **{body: {**MEETING_ROOM, **TOMORROW, "title": "Compilers"}}
    )

    assert made.status_code == 201
    booking = made.json()
    assert (booking["title"], booking["to"]) == ("Compilers", "2027-03-01T10:00:00Z")
    assert booking["membership"] == {"id": "m-grace-1", "name": "Grace Hopper"}
    assert booking in app.at("co-up", "bookings").json()

    cancelled = app.at("co-up", f"bookings/{booking['id']}", "DELETE")
    assert (cancelled.status_code, cancelled.content) == (204, b"")
    assert booking not in app.at("co-up", "bookings").json()
    assert app.at("co-up", f"bookings/{booking['id']}", "DELETE").status_code == 404


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"from": ""}, {"from": "can't be blank"}),
        ({"to": None}, {"to": "can't be blank"}),
        ({"to": "noon"}, {"to": "is not a time"}),
        ({"to": 12}, {"to": "is not a time"}),
        ({"from": "2027-03-01T09:00:00"}, {"from": "has no offset from UTC"}),
        ({"to": "2027-03-01T08:00:00Z"}, {"to": "must be after from"}),
        ({"resource_id": None}, {"resource_id": "can't be blank"}),
        ({"resource_id": "resource-betahaus-1"}, {"resource_id": "does not exist"}),
        ({"from": "0001-01-01T00:00:00+14:00"}, {"from": "is not a time"}),
        ({"title": ["a list"]}, {"title": "is not a text"}),
        ({"from": None, "to": "noon"}, {"from": "can't be blank", "to": "is not a time"}),
        ({"membership_id": "m-nina"}, {"membership_id": "does not exist"}),
    ],
)
def test_a_field_that_is_wrong_is_named(cobot: StandIn, changes: dict[str, Any], errors: dict[str, str]) -> None:
    response = App(cobot).at("co-up", "bookings", "POST", json={**MEETING_ROOM, **TOMORROW, **changes})

    assert (response.status_code, response.json()) == (422, {"errors": errors})


def test_a_room_is_booked_once_at_a_time(cobot: StandIn) -> None:
    app = App(cobot)
    assert app.at("co-up", "bookings", "POST", json={**MEETING_ROOM, **TOMORROW}).status_code == 201

    again = app.at("co-up", "bookings", "POST", json={**MEETING_ROOM, **TOMORROW})
    elsewhere = app.at("co-up", "bookings", "POST", json={"resource_id": "resource-co-up-2", **TOMORROW})
    next_hour = {**MEETING_ROOM, "from": TOMORROW["to"], "to": "2027-03-01T11:00:00Z"}
    hour_before = {**MEETING_ROOM, "from": "2027-03-01T08:00:00Z", "to": TOMORROW["from"]}

    assert (again.status_code, again.json()) == (422, {"errors": {"from": "is already booked"}})
    assert elsewhere.status_code == 201
    assert app.at("co-up", "bookings", "POST", json=next_hour).status_code == 201
    assert app.at("co-up", "bookings", "POST", json=hour_before).status_code == 201


def test_bookings_of_others_are_theirs_and_the_admins(cobot: StandIn) -> None:
    [booking] = cobot.add_bookings("co-up", person="ada")

    assert App(cobot, "grace").at("co-up", f"bookings/{booking.id}", "DELETE").status_code == 403
    for_ada = {**MEETING_ROOM, **TOMORROW, "membership_id": "m-ada"}
    assert App(cobot, "grace").at("co-up", "bookings", "POST", json=for_ada).status_code == 403
    assert App(cobot, "nina").at("co-up", "bookings").status_code == 403  # no member of this space

    alex = App(cobot, "alex")
    assert alex.at("co-up", f"bookings/{booking.id}", "DELETE").status_code == 204
    assert alex.at("co-up", "bookings", "POST", json=for_ada).json()["membership"]["name"] == "Ada Lovelace"


def test_invoices_are_ones_own_and_come_as_pdf(cobot: StandIn) -> None:
    ada, grace = App(cobot, "ada"), App(cobot, "grace")

    invoices = ada.at("co-up", "invoices").json()
    pdf = ada.at("co-up", f"invoices/{invoices[0]['id']}.pdf")

    assert [invoice["paid_status"] for invoice in invoices] == ["unpaid", "paid", "paid"]
    assert {invoice["membership"]["id"] for invoice in invoices} == {"m-ada"}
    assert (pdf.headers["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert grace.at("co-up", f"invoices/{invoices[0]['id']}.pdf").status_code == 403
    assert ada.at("co-up", "invoices/none.pdf").status_code == 404
    assert len(App(cobot, "alex").at("co-up", "invoices").json()) == 9


@pytest.mark.parametrize("scope", ["write_check_ins", "checkin"])
def test_members_check_in_and_see_their_visits(cobot: StandIn, scope: str) -> None:
    checked_in = App(cobot, "ada", scope).at("co-up", "check_ins", "POST")

    assert checked_in.status_code == 201
    assert checked_in.json()["valid_from"] == "2027-01-15T08:00:00Z"
    assert checked_in.json()["valid_until"] == "2027-01-16T00:00:00Z"
    assert checked_in.json() in App(cobot, "ada").at("co-up", "check_ins").json()
    assert checked_in.json() not in App(cobot, "grace").at("co-up", "check_ins").json()


def test_an_admin_says_whom_to_check_in(cobot: StandIn) -> None:
    alex = App(cobot, "alex")

    assert alex.at("co-up", "check_ins", "POST").json() == {"errors": {"membership_id": "can't be blank"}}
    assert alex.at("co-up", "check_ins", "POST", data={"membership_id": "m-ada"}).status_code == 201


def test_a_picture_is_uploaded_up_to_a_megabyte(cobot: StandIn) -> None:
    ada, path = App(cobot, "ada"), "memberships/m-ada/picture"

    assert ada.at("co-up", path, "PUT", files={"file": ("ada.jpg", b"\xff\xd8 picture")}).status_code == 204
    assert cobot.world.pictures == {"m-ada": b"\xff\xd8 picture"}
    assert ada.at("co-up", path, "PUT", files={"file": ("ada.jpg", b"x" * 1_000_001)}).status_code == 413
    assert ada.at("co-up", path, "PUT", data={}).json() == {"errors": {"file": "can't be blank"}}
    assert App(cobot, "grace").at("co-up", path, "PUT", files={"file": b"mine"}).status_code == 403


def test_the_token_of_a_space_is_an_admin_of_that_space_alone(cobot: StandIn) -> None:
    admin = App(cobot, "alex", "read_memberships read_bookings")
    path = f"{cobot.issuer}/api/access_tokens/{admin.token}/space"
    issued = admin.ask(path, "POST", json={"space_id": "co-up"}).json()
    worker = App(cobot, None)
    worker.token = issued["token"]

    assert issued["token"] in cobot.secrets
    assert len(worker.at("co-up", "memberships").json()) == 3
    assert worker.at("betahaus", "memberships").status_code == 403
    assert worker.at("co-up", "invoices").status_code == 403  # the scope is that of the first token
    cobot.revoke_right("alex", "co-up")  # is Alex's, not the space's
    assert worker.at("co-up", "memberships").status_code == 200
    refused = admin.ask(path, "POST", data={"space_id": "nebenan"})
    assert (refused.status_code, refused.json()) == (403, {"error": "You are not allowed to do this at nebenan."})


def test_the_token_of_a_space_has_no_membership_of_its_own(cobot: StandIn) -> None:
    worker = App(cobot, "grace", space="co-up")

    assert worker.at("co-up", "check_ins", "POST").json() == {"errors": {"membership_id": "can't be blank"}}
    assert worker.at("co-up", "bookings", "POST", json={**MEETING_ROOM, **TOMORROW}).json()["membership"] is None


@pytest.mark.parametrize("path", ["bookings", "resources", "invoices", "check_ins", "memberships"])
def test_whoever_does_not_belong_to_a_space_sees_nothing_of_it(cobot: StandIn, path: str) -> None:
    nina = App(cobot, "nina")

    assert nina.at("co-up", path).status_code == 403
    if path in ("bookings", "check_ins"):
        assert nina.at("co-up", path, "POST", json={**MEETING_ROOM, **TOMORROW}).status_code == 403


def test_revoked_rights_refuse_what_the_scope_allows(cobot: StandIn) -> None:
    alex = App(cobot, "alex")
    cobot.revoke_right("alex", "co-up")

    refused = alex.at("co-up", "memberships")

    assert refused.status_code == 403
    assert refused.json() == {"error": "Your rights as an admin of co-up have been revoked."}
    assert alex.at("betahaus", "memberships").status_code == 200
    admin_of = alex.ask(f"{cobot.issuer}/api/user").json()["admin_of"]
    assert [space["space_subdomain"] for space in admin_of] == ["co-up", "betahaus"]
    path = f"{cobot.issuer}/api/access_tokens/{alex.token}/space"
    assert alex.ask(path, "POST", data={"space_id": "co-up"}).status_code == 403


def test_revoked_tokens_stop_to_work(cobot: StandIn) -> None:
    ada, grace = App(cobot, "ada"), App(cobot, "grace")

    cobot.revoke_tokens("ada")
    assert (ada.at("co-up", "user").status_code, grace.at("co-up", "user").status_code) == (401, 200)
    cobot.revoke_tokens()
    assert grace.at("co-up", "user").status_code == 401


def test_every_answer_has_an_id_and_every_token_is_a_known_secret(cobot: StandIn) -> None:
    app = App(cobot, None)
    app.token = "a-token-that-nobody-issued"

    app.ask(f"{cobot.issuer}/api/access_tokens/another-unknown-token")
    ids = [app.at("co-up", path).headers["X-Request-Id"] for path in ("plans", "bookings", "nothing")]

    assert len(set(ids)) == 3
    assert {app.token, "another-unknown-token"} <= cobot.secrets


def test_what_is_not_there_is_told_in_json(cobot: StandIn) -> None:
    app = App(cobot)

    assert "error" in app.at("co-up", "nothing").json()
    assert app.at("atlantis", "user").status_code == 404
    assert app.at("co-up", "plans", "POST").status_code == 405
    assert app.at("co-up", "bookings", "POST", json=["a list"]).json() == {"error": "The body is not a JSON object."}


def test_a_reset_brings_back_the_world_as_it_was(cobot: StandIn) -> None:
    before = App(cobot).at("co-up", "bookings").json()
    cobot.add_bookings("co-up", person="grace", count=3)
    cobot.revoke_right("alex", "co-up")

    cobot.reset()

    assert App(cobot).at("co-up", "bookings").json() == before
    assert App(cobot, "alex").at("co-up", "memberships").status_code == 200


def test_the_api_lies_as_it_is_told(cobot: StandIn) -> None:
    app = App(cobot, "alex")
    cobot.alter("api", {"name": REMOVED}, path="/api/memberships")  # in each member of a list
    cobot.reply("api", status=502, body=b"<html>", headers={"X-Proxy": "yes"}, path="/api/bookings", times=1)

    assert "name" not in app.at("co-up", "memberships").json()[0]
    assert "name" in app.at("co-up", "plans").json()[0]
    failed = app.at("co-up", "bookings")
    assert (failed.status_code, failed.content, failed.headers["X-Proxy"]) == (502, b"<html>", "yes")
    assert app.at("co-up", "bookings").status_code == 200


def test_a_lie_can_be_told_at_one_issuer_alone_and_errors_can_be_changed(cobot: StandIn) -> None:
    cobot.alter("api", {"error": "no"}, issuer=cobot.space_issuer("co-up"))

    assert App(cobot, None).at("co-up", "user").json() == {"error": "no"}
    assert App(cobot, None).at("betahaus", "user").json() != {"error": "no"}


def test_only_the_api_is_restricted_by_path(cobot: StandIn) -> None:
    with pytest.raises(ValueError, match="only restricts"):
        cobot.alter("token", {}, path="/oauth")

"""The API's second generation: JSON:API at a host of its own, and what it refuses (docs/cobot.md 4)."""

import time
from typing import Any

import pytest

from cobot_oidc.standin import StandIn

from .asking import App

ATTRIBUTES = {"from": "2027-03-01T09:00:00Z", "to": "2027-03-01T10:00:00Z", "title": "Compilers"}


def booking(resource: str | None = "resource-co-up-1", id: str | None = None, **attributes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "bookings", "attributes": attributes or ATTRIBUTES}
    if resource:
        data["relationships"] = {"resource": {"data": {"type": "resources", "id": resource}}}
    return {"data": data | ({"id": id} if id else {})}


def ids(document: dict[str, Any], part: str = "data") -> list[str]:
    return [thing["id"] for thing in document[part]]


def test_its_host_is_no_issuer_and_has_nothing_else(cobot: StandIn) -> None:
    app = App(cobot)

    assert cobot.api == f"http://api.cobot.localhost:{cobot.port}"
    for path in (".well-known/openid-configuration", "jwks.json", "oauth/authorize", "stand-in", "api/user"):
        response = app.two(path)
        assert (response.status_code, response.json()["errors"][0]["status"]) == (404, "404"), path
    assert app.ask(f"{cobot.issuer}/user").status_code == 404
    assert app.at("co-up", "../bookings").status_code == 404


def test_the_user_has_memberships_and_spaces(cobot: StandIn) -> None:
    response = App(cobot).two("user?include=memberships")

    user = response.json()["data"]
    assert response.headers["Content-Type"] == "application/vnd.api+json"
    assert (user["type"], user["id"]) == ("users", cobot.people["grace"].subject)
    assert user["attributes"] == {"email": "grace@example.org"}
    assert ids(user["relationships"]["memberships"]) == ["m-grace-1", "m-grace-2"]
    assert ids(user["relationships"]["memberOf"]) == ["co-up", "betahaus"]
    assert user["relationships"]["adminOf"] == {"data": []}
    included = response.json()["included"]
    assert [membership["attributes"]["name"] for membership in included] == ["Grace Hopper", "Grace B. Hopper"]


def test_a_list_is_of_one_space_or_of_all_that_the_person_may_enter(cobot: StandIn) -> None:
    app = App(cobot)

    everywhere = ids(app.two("bookings").json())
    filtered = ids(app.two("bookings?filter[space]=co-up").json())

    assert (len(everywhere), len(filtered)) == (30, 15)
    assert ids(app.two("spaces/co-up/bookings").json()) == filtered
    assert ids(app.two("spaces").json()) == ["co-up", "betahaus"]
    assert app.two("spaces/nebenan/bookings").status_code == 403
    assert app.two("bookings?filter[space]=atlantis").status_code == 404


def test_bookings_are_filtered_by_time(cobot: StandIn) -> None:
    app, day = App(cobot), "filter[from]=2027-01-15T00:00:00Z&filter[to]=2027-01-16T00:00:00Z"

    assert len(app.two(f"spaces/co-up/bookings?{day}").json()["data"]) == 3
    wrong = app.two("bookings?filter[from]=today").json()["errors"][0]
    assert wrong["source"] == {"parameter": "filter[from]"}


@pytest.mark.parametrize(
    ("path", "seen_by_ada", "seen_by_alex"),
    [("memberships", 1, 3), ("invoices", 3, 9), ("check_ins", 3, 9), ("resources", 4, 4), ("plans", 3, 3)],
)
def test_members_see_their_own_and_admins_see_all(
    cobot: StandIn, path: str, seen_by_ada: int, seen_by_alex: int
) -> None:
    counted = [len(App(cobot, person).two(f"spaces/co-up/{path}").json()["data"]) for person in ("ada", "alex")]

    assert counted == [seen_by_ada, seen_by_alex]


def test_one_thing_has_its_own_address(cobot: StandIn) -> None:
    ada = App(cobot, "ada")

    for path in ("memberships", "invoices", "check_ins", "resources", "bookings"):
        thing = ada.two(f"spaces/co-up/{path}").json()["data"][0]
        assert ada.two(f"{path}/{thing['id']}").json()["data"] == thing
    assert ada.two("spaces/co-up").json()["data"]["attributes"]["name"] == "co.up Coworking"
    assert ada.two("memberships/m-haruki").status_code == 403
    assert App(cobot, "nina").two("resources/resource-co-up-1").status_code == 403
    assert ada.two("bookings/none").status_code == 404


def test_links_lead_through_all_pages(cobot: StandIn) -> None:
    made = cobot.add_bookings("co-up", person="grace", count=485)
    app, pages = App(cobot), 0
    found: list[str] = []
    url: str | None = f"{cobot.api}/bookings?filter[space]=co-up&page[size]=200"

    while url is not None:
        page = app.ask(url).json()
        found, pages, url = found + ids(page), pages + 1, page["links"]["next"]
        assert page["meta"] == {"totalPages": 3, "currentPage": pages}

    assert pages == 3
    assert len(found) == len(set(found)) == 500
    assert {booking.id for booking in made} <= set(found)
    assert page["links"]["prev"].startswith(f"{cobot.api}/bookings?")


def test_a_page_has_72_things_by_default_and_200_at_most(cobot: StandIn) -> None:
    cobot.add_bookings("co-up", count=100)
    app = App(cobot)

    assert len(app.two("spaces/co-up/bookings").json()["data"]) == 72
    assert app.two("spaces/co-up/bookings?page[number]=9").json()["data"] == []
    assert app.two("spaces/co-up/bookings?page[number]=9").json()["links"]["next"] is None


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("page[size]=201", "page[size]"),
        ("page[size]=0", "page[size]"),
        ("page[number]=-1", "page[number]"),
        ("page[number]=one", "page[number]"),
        ("include=owner", "include"),
        ("filter[colour]=red", "filter[colour]"),
    ],
)
def test_a_parameter_that_is_not_understood_is_named(cobot: StandIn, query: str, parameter: str) -> None:
    response = App(cobot).two(f"bookings?{query}")

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["status"], error["source"]) == ("400", {"parameter": parameter})


def test_related_things_are_included_once(cobot: StandIn) -> None:
    cobot.add_bookings("co-up", person="ada", count=20)

    page = App(cobot, "ada").two("spaces/co-up/bookings?include=resource,membership").json()

    included = [(thing["type"], thing["id"]) for thing in page["included"]]
    assert len(included) == len(set(included)) == 4 + 3
    names = {thing["id"]: set(thing["attributes"]) for thing in page["included"] if thing["type"] == "memberships"}
    assert "email" in names["m-ada"]
    assert names["m-grace-1"] == {"name", "picture"}  # the rest is for Grace and for admins
    assert "included" not in App(cobot, "ada").two("spaces/co-up/bookings").json()


def test_what_is_included_needs_its_scope(cobot: StandIn) -> None:
    app = App(cobot, scope="read_bookings read_resources")

    assert app.two("bookings?include=resource").status_code == 200
    refused = app.two("bookings?include=membership")
    assert refused.json()["errors"][0]["detail"] == "The access token does not have the scope read_memberships."


def test_fields_are_left_out_if_only_others_are_asked_for(cobot: StandIn) -> None:
    query = "fields[bookings]=title,from,resource&fields[resources]=name&include=resource"
    page = App(cobot).two(f"spaces/co-up/bookings?{query}").json()

    assert set(page["data"][0]["attributes"]) == {"title", "from"}
    assert set(page["data"][0]["relationships"]) == {"resource"}
    assert page["included"][0]["attributes"] == {"name": "Meeting Room"}


def test_a_booking_is_made_changed_and_cancelled(cobot: StandIn) -> None:
    app = App(cobot)

    made = app.two("bookings", "POST", json=booking())
    id = made.json()["data"]["id"]
    changed = app.two(f"bookings/{id}", "PATCH", json=booking(None, id, title="COBOL"))

    assert made.status_code == 201
    assert made.json()["data"]["attributes"].items() >= ATTRIBUTES.items()
    assert made.json()["data"]["relationships"]["membership"]["data"]["id"] == "m-grace-1"
    assert (changed.status_code, changed.json()["data"]["attributes"]["title"]) == (200, "COBOL")
    assert changed.json()["data"]["attributes"]["from"] == ATTRIBUTES["from"]
    assert app.two(f"bookings/{id}", "DELETE").status_code == 204
    assert app.two(f"bookings/{id}").status_code == 404


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (booking(**{**ATTRIBUTES, "from": ""}), "/data/attributes/from"),
        (booking(**{**ATTRIBUTES, "to": "2027-03-01T09:00:00Z"}), "/data/attributes/to"),
        (booking("resource-of-nobody"), "/data/relationships/resource"),
        (booking(None), "/data/relationships/resource"),
    ],
)
def test_a_field_that_is_wrong_is_pointed_at(cobot: StandIn, document: dict[str, Any], pointer: str) -> None:
    response = App(cobot).two("bookings", "POST", json=document)

    assert response.status_code == 422
    assert [error["source"]["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_booking_is_of_a_resource_of_its_space(cobot: StandIn) -> None:
    app = App(cobot)

    assert app.two("spaces/betahaus/bookings", "POST", json=booking("resource-co-up-1")).status_code == 422
    assert app.two("spaces/co-up/bookings", "POST", json=booking("resource-co-up-1")).status_code == 201


def test_a_booking_is_not_moved_onto_another(cobot: StandIn) -> None:
    app = App(cobot)
    app.two("bookings", "POST", json=booking())
    id = app.two("bookings", "POST", json=booking("resource-co-up-2")).json()["data"]["id"]

    moved = app.two(f"bookings/{id}", "PATCH", json=booking("resource-co-up-1", id, title="Moved"))

    assert moved.json()["errors"][0]["detail"] == "is already booked"
    assert app.two(f"bookings/{id}").json()["data"]["attributes"]["title"] == "Compilers"


def test_bookings_of_others_are_not_changed(cobot: StandIn) -> None:
    [hers] = cobot.add_bookings("co-up", person="ada")
    grace = App(cobot)

    assert grace.two(f"bookings/{hers.id}", "PATCH", json=booking(None, hers.id, title="Mine")).status_code == 403
    assert grace.two(f"bookings/{hers.id}", "DELETE").status_code == 403
    assert grace.two(f"bookings/{hers.id}").json()["data"]["attributes"]["canUpdate"] is False


@pytest.mark.parametrize(
    ("status", "options"),
    [
        (415, {"json": booking(), "headers": {"Content-Type": "application/json"}}),
        (415, {"data": {"title": "a form"}}),
        (400, {"data": "{", "headers": {"Content-Type": "application/vnd.api+json"}}),
        (400, {"json": ["no document"]}),
        (400, {"json": {"data": {"type": "bookings", "attributes": "none"}}}),
        (409, {"json": {"data": {"type": "rooms"}}}),
        (409, {"json": booking(id="of-my-own")}),
    ],
)
def test_a_body_is_a_document_of_the_right_type(cobot: StandIn, status: int, options: dict[str, Any]) -> None:
    response = App(cobot).two("bookings", "POST", **options)

    assert response.status_code == status
    assert response.json()["errors"][0]["status"] == str(status)


def test_members_check_in(cobot: StandIn) -> None:
    ada = App(cobot, "ada")
    at_the_space = {"space": {"data": {"type": "spaces", "id": "co-up"}}}

    checked_in = ada.two("check_ins", "POST", json={"data": {"type": "checkIns", "relationships": at_the_space}})

    assert checked_in.status_code == 201
    check_in = checked_in.json()["data"]
    assert check_in["attributes"] == {"validFrom": "2027-01-15T08:00:00Z", "validUntil": "2027-01-16T00:00:00Z"}
    assert check_in["relationships"]["membership"]["data"]["id"] == "m-ada"
    assert check_in in ada.two("check_ins").json()["data"]
    for_haruki = {"membership": {"data": {"type": "memberships", "id": "m-haruki"}}}
    refused = ada.two("check_ins", "POST", json={"data": {"type": "checkIns", "relationships": for_haruki}})
    assert refused.status_code == 403


def test_rights_and_scopes_are_refused_with_a_list_of_errors(cobot: StandIn) -> None:
    cobot.revoke_right("alex", "co-up")
    nobody, few, alex = App(cobot, None), App(cobot, scope="openid"), App(cobot, "alex")

    for response, status in (
        (nobody.two("user"), 401),
        (few.two("user"), 403),
        (alex.two("memberships?filter[space]=co-up"), 403),
        (nobody.two("nowhere"), 404),
        (nobody.two("plans", "DELETE"), 405),
    ):
        [error] = response.json()["errors"]
        assert (response.status_code, error["status"]) == (status, str(status))
        assert set(error) == {"status", "title", "detail"}
        assert response.headers["X-Request-Id"]
    assert {m["relationships"]["space"]["data"]["id"] for m in alex.two("memberships").json()["data"]} == {"betahaus"}


def test_the_token_of_a_space_sees_that_space(cobot: StandIn) -> None:
    worker = App(cobot, "alex", space="betahaus")

    assert ids(worker.two("spaces").json()) == ["betahaus"]
    assert ids(worker.two("memberships").json()) == ["m-grace-2", "m-nina"]
    assert worker.two("spaces/co-up/memberships").status_code == 403


def test_pages_can_be_made_to_lead_elsewhere(cobot: StandIn) -> None:
    elsewhere = "https://elsewhere.example/bookings"
    cobot.alter("api", lambda page: {**page, "links": {**page["links"], "next": elsewhere}}, path="/bookings", times=1)
    cobot.reply("api", status=503, headers={"Retry-After": "3"}, issuer=cobot.api, path="/user")
    app = App(cobot)

    altered = app.two("bookings")
    assert altered.json()["links"]["next"] == elsewhere
    assert altered.headers["Content-Type"] == "application/vnd.api+json"
    assert app.two("bookings").json()["links"]["next"] is None
    assert (app.two("user").status_code, app.at("co-up", "user").status_code) == (503, 200)


def test_a_page_of_200_is_quick(cobot: StandIn) -> None:
    cobot.add_bookings("co-up", person="grace", count=2000)
    app = App(cobot)

    def milliseconds() -> float:
        start = time.perf_counter()
        page = app.two("bookings?filter[space]=co-up&page[size]=200&page[number]=5&include=resource,membership")
        assert len(page.json()["data"]) == 200
        return (time.perf_counter() - start) * 1000

    assert min(milliseconds() for _ in range(5)) < 100  # about 5 on a quiet machine

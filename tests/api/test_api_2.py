"""The second generation of the API: JSON:API at a host of its own (docs/cobot.md 4)."""

from itertools import islice
from typing import Any

import pytest

from cobot_oidc import CobotAPI
from cobot_oidc.standin import StandIn

from ..conftest import MakePortal
from ..provider.hostile import Visit, answer, hostile_server, says
from .conftest import MakeAPI, refusal

START, END = "2027-03-01T10:00:00+00:00", "2027-03-01T12:00:00+00:00"


def new_booking(**attributes: str) -> dict[str, Any]:
    return {
        "data": {
            "type": "bookings",
            "attributes": {"from": START, "to": END, "title": "Chess"} | attributes,
            "relationships": {"resource": {"data": {"type": "resources", "id": "resource-co-up-1"}}},
        }
    }


def test_both_sides_speak_json_api(make_portal: MakePortal) -> None:
    reply = answer(b'{"data": {"type": "bookings", "id": "1"}}')
    with (
        hostile_server(says(reply)) as server,
        make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/")).app_context(),
    ):
        CobotAPI().post("/bookings", json=new_booking())
        CobotAPI().get("/bookings/1")

    posted, asked = server.requests
    assert b"\r\nContent-Type: application/vnd.api+json\r\n" in posted
    assert b"\r\nAccept: application/vnd.api+json\r\n" in posted
    assert b"\r\nAccept: application/vnd.api+json\r\n" in asked
    assert b"content-type" not in asked.lower()
    assert b"\r\nAccept-Encoding: identity\r\n" in asked  # what is packed is not read
    assert b"\r\nUser-Agent: cobot-oidc\r\n" in asked


def test_the_first_generation_gets_plain_json(make_portal: MakePortal) -> None:
    with (
        hostile_server(says(answer())) as server,
        make_portal(COBOT_OIDC_ISSUER=server.url().rstrip("/")).app_context(),
    ):
        CobotAPI().post("/api/x", json={"a": 1})

    [request] = server.requests
    assert b"\r\nContent-Type: application/json\r\n" in request
    assert b"\r\nAccept: application/json\r\n" in request


def test_a_resource_is_its_fields_beside_type_and_id(make_api: MakeAPI, cobot: StandIn) -> None:
    booking = make_api().get("/bookings/booking-co-up-1")

    assert (booking["type"], booking["id"], booking["title"]) == ("bookings", "booking-co-up-1", "Team meeting")
    assert booking["units"] == 1
    assert cobot.requests[-1].host == f"api.cobot.localhost:{cobot.port}"


def test_a_relationship_that_was_not_asked_for_is_type_and_id(make_api: MakeAPI) -> None:
    booking = make_api().get("/bookings/booking-co-up-1")

    assert booking["resource"] == {"type": "resources", "id": "resource-co-up-1"}
    assert booking["space"] == {"type": "spaces", "id": "co-up"}


def test_a_relationship_to_nothing_is_none(make_api: MakeAPI) -> None:
    bookings = make_api("alex").pages("/bookings", filter={"space": "co-up"})

    assert [booking for booking in bookings if booking["membership"] is None]


def test_an_included_relationship_is_the_resource_itself(make_api: MakeAPI) -> None:
    booking = make_api().get("/bookings/booking-co-up-1", include=["resource"])

    assert booking["resource"]["name"] == "Meeting Room"
    assert booking["resource"]["space"] == {"type": "spaces", "id": "co-up"}
    assert booking["space"] == {"type": "spaces", "id": "co-up"}


def test_an_included_relationship_to_many_is_a_list_of_resources(make_api: MakeAPI) -> None:
    user = make_api().get("/user", include=["memberships", "memberOf"])

    assert [membership["name"] for membership in user["memberships"]] == ["Grace Hopper", "Grace B. Hopper"]
    assert [space["name"] for space in user["memberOf"]] == ["co.up Coworking", "Betahaus"]
    assert user["adminOf"] == []


def test_a_relationship_to_many_that_was_not_asked_for_is_a_list_of_types_and_ids(make_api: MakeAPI) -> None:
    assert make_api().get("/user")["memberOf"] == [
        {"type": "spaces", "id": "co-up"},
        {"type": "spaces", "id": "betahaus"},
    ]


def test_what_comes_of_itself_is_not_resolved(make_api: MakeAPI) -> None:
    """Whoever wrote ``booking["resource"]["id"]`` gets no deeper answer because the query names more."""
    booking = make_api().get("/bookings/booking-co-up-1", params={"include": "resource"})

    assert booking["resource"] == {"type": "resources", "id": "resource-co-up-1"}


def test_a_list_is_a_list(make_api: MakeAPI) -> None:
    plans = make_api().get("/spaces/co-up/plans")

    assert [plan["name"] for plan in plans] == ["Flex Desk", "Fixed Desk", "Team Office"]


def test_an_empty_list_has_nothing(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.world.of("co-up").bookings.clear()
    api = make_api()

    assert api.get("/spaces/co-up/bookings") == []
    assert list(api.pages("/spaces/co-up/bookings")) == []


def test_only_the_fields_that_are_named_come(make_api: MakeAPI) -> None:
    pages = make_api().pages("/bookings", fields={"bookings": ["title", "resource"], "resources": ["name"]})

    assert {tuple(sorted(booking)) for booking in pages} == {("id", "resource", "title", "type")}


def test_a_filter_leaves_out_the_others(make_api: MakeAPI) -> None:
    api = make_api()

    spaces = {booking["space"]["id"] for booking in api.pages("/bookings")}
    filtered = {booking["space"]["id"] for booking in api.pages("/bookings", filter={"space": "co-up"})}

    assert (spaces, filtered) == ({"co-up", "betahaus"}, {"co-up"})


def test_included_fields_and_filters_hold_on_every_page(make_api: MakeAPI) -> None:
    pages = make_api().pages(
        "/bookings", filter={"space": "co-up"}, fields={"bookings": ["resource"]}, include=["resource"], page_size=4
    )

    bookings = list(pages)

    assert len(bookings) == 15
    assert {tuple(sorted(booking)) for booking in bookings} == {("id", "resource", "type")}
    assert all(booking["resource"]["name"] for booking in bookings)


def test_more_of_the_query_is_sent(make_api: MakeAPI) -> None:
    assert [*make_api().pages("/bookings", params={"filter[from]": "2027-06-01T00:00:00Z"})] == []


def test_a_link_to_the_next_page_is_followed_as_it_is(make_portal: MakePortal) -> None:
    answers: list[bytes] = []

    def script(visit: Visit) -> None:
        while visit.read_request():
            visit.send(answers.pop(0))

    with hostile_server(script) as server:
        url = server.url().rstrip("/")
        answers += [answer(f'{{"data": [], "links": {{"next": "{url}/b?page=2"}}}}'.encode()), answer(b'{"data": []}')]
        with make_portal(COBOT_OIDC_API_URL=url).app_context():
            pages = CobotAPI().pages(
                "/bookings", filter={"space": "co-up"}, fields={"bookings": ["a", "b"]}, page_size=5
            )
            assert list(pages) == []

    lines = [request.partition(b" HTTP/1.1")[0] for request in server.requests]
    query = b"filter%5Bspace%5D=co-up&fields%5Bbookings%5D=a%2Cb&page%5Bsize%5D=5"
    assert lines == [b"GET /bookings?" + query, b"GET /b?page=2"]


def test_nothing_is_asked_before_somebody_wants_a_resource(make_api: MakeAPI, cobot: StandIn) -> None:
    make_api().pages("/bookings")

    assert cobot.requests == []


def test_a_page_is_asked_for_when_its_first_resource_is_needed(make_api: MakeAPI, cobot: StandIn) -> None:
    asked = [cobot.asked("/bookings") for _ in make_api().pages("/spaces/co-up/bookings", page_size=5)]
    assert asked == [0] * 15  # it is another path

    cobot.requests.clear()
    asked = [cobot.asked("/bookings") for _ in make_api().pages("/bookings", filter={"space": "co-up"}, page_size=5)]

    assert asked == [1] * 5 + [2] * 5 + [3] * 5
    assert cobot.asked("/bookings") == 3


def test_an_iteration_that_is_given_up_asks_no_more(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.add_bookings("co-up", count=1000)

    assert len(list(islice(make_api().pages("/bookings", page_size=5), 7))) == 7
    assert cobot.asked("/bookings") == 2


def test_a_page_of_cobots_own_size_has_72(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.add_bookings("co-up", count=129)

    assert len(list(make_api().pages("/spaces/co-up/bookings"))) == 144
    assert cobot.asked("/spaces/co-up/bookings") == 2


def test_a_page_has_200_at_most(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.add_bookings("co-up", count=385)

    assert len(list(make_api().pages("/spaces/co-up/bookings", page_size=1000))) == 400
    assert cobot.asked("/spaces/co-up/bookings") == 2


def test_a_single_resource_has_no_pages(make_api: MakeAPI) -> None:
    assert refusal(lambda: list(make_api().pages("/bookings/booking-co-up-1"))).code == "answer_unusable"


@pytest.mark.usefixtures("in_portal")
def test_what_is_public_needs_no_token() -> None:
    assert len(list(CobotAPI().pages("/plans"))) == 9


def test_something_is_created_changed_and_deleted(make_api: MakeAPI) -> None:
    api = make_api()

    made = api.post("/bookings", json=new_booking())
    path = f"/bookings/{made['id']}"
    changed = api.patch(path, {"data": {"type": "bookings", "id": made["id"], "attributes": {"title": "Go"}}})

    assert (made["title"], made["membership"]["id"]) == ("Chess", "m-grace-1")
    assert (changed["title"], changed["from"]) == ("Go", made["from"])
    assert api.get(path)["title"] == "Go"
    assert api.delete(path) is None
    assert refusal(lambda: api.get(path)).code == "resource_not_found"

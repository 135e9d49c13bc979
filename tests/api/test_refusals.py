"""What a call that did not succeed tells: one error for both generations of the API."""

from typing import Any

import pytest
from flask import Flask

from cobot_oidc import oidc_event
from cobot_oidc.standin import StandIn

from .conftest import MakeAPI, refusal


@pytest.mark.parametrize("path", ["/api/bookings", "/bookings"])
def test_a_token_that_was_revoked(make_api: MakeAPI, cobot: StandIn, path: str) -> None:
    api = make_api(space="co-up")
    cobot.revoke_tokens()

    error = refusal(lambda: api.get(path))

    assert (error.code, error.api_status, error.status) == ("token_refused", 401, 401)
    assert error.message == "The access token is missing or not valid."
    assert error.fields == {}


@pytest.mark.parametrize("path", ["/api/bookings/none", "/bookings/none", "/nothing", "/api/nothing"])
def test_a_resource_that_there_is_not(make_api: MakeAPI, path: str) -> None:
    api = make_api(space="co-up")

    error = refusal(lambda: api.get(path) if "nothing" in path or "/api" not in path else api.delete(path))

    assert (error.code, error.api_status, error.status) == ("resource_not_found", 404, 404)


def test_a_resource_that_is_gone_is_not_there(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.reply("api", status=410, path="/api/space")

    error = refusal(lambda: make_api(space="co-up").get("/api/space"))

    assert (error.code, error.api_status, error.status) == ("resource_not_found", 410, 404)


@pytest.mark.parametrize("path", ["/api/space", "/bookings"])
def test_an_error_has_the_name_of_the_request(make_api: MakeAPI, cobot: StandIn, path: str) -> None:
    cobot.reply("api", status=404, headers={"X-Request-Id": "of-this-request"})

    error = refusal(lambda: make_api(space="co-up").get(path))

    assert error.request_id == "of-this-request"
    assert "of-this-request" in str(error)


@pytest.mark.parametrize("generation", [1, 2])
def test_values_that_are_not_valid_are_told_by_field(make_api: MakeAPI, generation: int) -> None:
    api = make_api(space="co-up")
    times = {"from": "soon", "to": "2027-03-01"}
    if generation == 1:
        error = refusal(lambda: api.post("/api/bookings", {"resource_id": "resource-co-up-1", **times}))
    else:
        resource = {"data": {"type": "resources", "id": "resource-co-up-1"}}
        data = {"type": "bookings", "attributes": times, "relationships": {"resource": resource}}
        error = refusal(lambda: api.post("/bookings", {"data": data}))

    assert (error.code, error.api_status, error.status) == ("request_invalid", 422, 422)
    assert error.fields == {"from": "is not a time", "to": "has no offset from UTC"}
    assert error.details["fields"] == "['from', 'to']"
    assert error.request_id


@pytest.mark.parametrize(
    ("errors", "fields"),
    [
        ({"name": ["is taken", "is too short"]}, {"name": "is taken, is too short"}),
        ({"name": {"en": "is taken"}}, {"name": "{'en': 'is taken'}"}),
        ({"name": None}, {"name": "None"}),
        (
            [
                {"source": {"pointer": "/data/attributes/name"}, "detail": "is taken"},
                {"source": {"pointer": "/data/attributes/name"}, "detail": "is too short"},
            ],
            {"name": "is taken, is too short"},
        ),
        ([{"source": {"parameter": "include"}, "detail": "is unknown"}], {}),
        ([{"source": "name", "detail": "is taken"}, {"source": {"pointer": 5}}, {"detail": "x"}, "x", None], {}),
        ("is taken", {}),
        (None, {}),
    ],
)
def test_fields_have_one_form(make_api: MakeAPI, cobot: StandIn, errors: Any, fields: dict[str, str]) -> None:
    cobot.alter("api", lambda _: {"errors": errors}, path="/api/space")
    cobot.reply("api", status=422, path="/api/space")

    assert refusal(lambda: make_api(space="co-up").get("/api/space")).fields == fields


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"error": "Closed today."}, "Closed today."),
        ({"message": "Closed today."}, "Closed today."),
        ({"errors": [{"title": "Closed", "detail": "Closed today."}]}, "Closed today."),
        ({"errors": [None, {}, {"title": "Closed"}]}, "Closed"),
        ({"error": {"code": 5}}, ""),
        ({"error": 5, "errors": 5}, ""),
        (["Closed today."], ""),
        (None, ""),
    ],
)
def test_a_message_is_cobots_own_words(make_api: MakeAPI, cobot: StandIn, document: Any, message: str) -> None:
    cobot.alter("api", lambda _: document, path="/api/space")
    cobot.reply("api", status=400, path="/api/space")

    error = refusal(lambda: make_api(space="co-up").get("/api/space"))

    assert (error.code, error.message, error.api_status, error.status) == ("request_refused", message, 400, 500)


def test_an_error_that_is_no_json_has_no_message(make_api: MakeAPI, cobot: StandIn) -> None:
    for kind, body in (("text/html", b"<h1>Bad</h1>"), ("application/json", b'{"error": '), ("", b"\xff")):
        cobot.reply("api", status=400, headers={"Content-Type": kind}, body=body, path="/api/space", times=1)

        error = refusal(lambda: make_api(space="co-up").get("/api/space"))

        assert (error.code, error.message, error.fields) == ("request_refused", "", {})


def test_what_the_request_itself_has_wrong_is_refused(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api()

    conflict = refusal(lambda: api.post("/bookings", {"data": {"type": "plans"}}))
    form = refusal(lambda: api.request("POST", "/bookings", form={"title": "Chess"}))
    include = refusal(lambda: api.get("/bookings", include=["owner"]))
    page = refusal(lambda: list(api.pages("/bookings", page_size=0)))

    assert [(error.code, error.api_status) for error in (conflict, form, include, page)] == [
        ("request_refused", 409),
        ("request_refused", 415),
        ("request_refused", 400),
        ("request_refused", 400),
    ]
    assert include.message == "bookings have no relationship owner"
    assert cobot.asked("/bookings") == 4


def test_a_picture_that_is_too_large_is_refused(make_api: MakeAPI) -> None:
    large = {"file": ("a.png", b"x" * 1_000_001, "image/png")}

    error = refusal(lambda: make_api(space="co-up").put("/api/memberships/m-grace-1/picture", files=large))

    assert (error.code, error.api_status) == ("request_refused", 413)
    assert "1000000" in error.message


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_server_error_says_that_cobot_fails(
    make_api: MakeAPI, cobot: StandIn, waits: list[float], status: int
) -> None:
    cobot.reply("api", status=status, headers={"X-Request-Id": "of-this-request"}, path="/api/space")

    error = refusal(lambda: make_api(space="co-up").get("/api/space"))

    assert (error.code, error.api_status, error.status) == ("api_failing", status, 503)
    assert error.request_id == "of-this-request"
    assert cobot.asked("/api/space") == 3
    assert len(waits) == 2


def test_the_app_hears_that_the_api_is_unavailable(make_api: MakeAPI, cobot: StandIn, in_portal: Flask) -> None:
    heard: list[str] = []
    cobot.reply("api", status=503, path="/api/space")

    with oidc_event.connected_to(lambda _, event, **__: heard.append(event), in_portal):
        refusal(lambda: make_api(space="co-up").get("/api/space"))

    assert heard == ["api_unavailable"]


def test_a_failure_that_passes_is_not_seen(make_api: MakeAPI, cobot: StandIn, waits: list[float]) -> None:
    cobot.reply("api", status=503, path="/api/space", times=2)

    assert make_api(space="co-up").get("/api/space")["id"] == "co-up"
    assert len(waits) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_not_safe_is_sent_once(make_api: MakeAPI, cobot: StandIn, waits: list[float], method: str) -> None:
    cobot.reply("api", status=503, path="/bookings")

    error = refusal(lambda: make_api().request(method, "/bookings"))

    assert (error.code, cobot.asked("/bookings"), waits) == ("api_failing", 1, [])


def test_text_from_outside_cannot_forge_a_line_of_a_log(make_api: MakeAPI, cobot: StandIn) -> None:
    text = "no\nWARNING root: all is well \u202e\x1b[2J"
    cobot.alter("api", lambda _: {"error": text, "errors": {text: text}}, path="/api/space")
    cobot.reply("api", status=422, headers={"X-Request-Id": "\x85\xff"}, path="/api/space")

    error = refusal(lambda: make_api(space="co-up").get("/api/space"))

    assert error.message == text
    for said in (str(error), repr(error), *map(str, error.details.values())):
        assert said.isprintable()
        assert said.isascii()


def test_text_from_outside_is_not_longer_than_a_log_can_bear(make_api: MakeAPI, cobot: StandIn) -> None:
    text = "x" * 100_000
    cobot.alter("api", lambda _: {"error": text, "errors": {"name": text}}, path="/api/space")
    cobot.reply("api", status=422, headers={"X-Request-Id": "y" * 5000}, path="/api/space")

    error = refusal(lambda: make_api(space="co-up").get("/api/space"))

    assert (len(error.message), len(error.fields["name"]), len(error.request_id)) == (1000, 1000, 100)
    assert len(str(error)) < 2000

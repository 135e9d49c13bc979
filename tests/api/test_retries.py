"""What a call does when Cobot refuses it for the limit, fails or hangs up: ask again, if that harms nobody."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import APIError, CobotAPI
from cobot_oidc.provider.deadline import within
from cobot_oidc.standin import StandIn

from ..conftest import Clock, MakePortal
from ..provider.hostile import answer, hostile_server, resets, says, says_once
from .conftest import how_often

SCOPE = "read_user read_bookings write_bookings"
DATE = "Wed, 25 Nov 2026 12:00:00 GMT"
SHORTEST, SPREAD = 1, 0.5  # seconds: the shortest wait after 429, and by how much each is lengthened at most

Waits = list[float]


@pytest.fixture
def waits(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Waits:
    """The waits, which take no time but that of the stand-in's limit."""
    waits: Waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.move(seconds)

    monkeypatch.setattr("cobot_oidc.api.places.sleep", sleep)
    return waits


@pytest.fixture
def app(make_portal: MakePortal, cobot: StandIn, waits: Waits) -> Flask:
    del waits  # before the app calls anybody
    return make_portal(COBOT_OIDC_API_URL=cobot.api)


@pytest.fixture
def api(app: Flask, cobot: StandIn) -> CobotAPI:
    with app.app_context():
        return CobotAPI(cobot.issue_token("grace", SCOPE), space="co-up", user="grace")


def refusal(make: Callable[[], object]) -> APIError:
    with pytest.raises(APIError) as raised:
        make()
    return raised.value


def me(api: CobotAPI) -> object:
    return api.get("/api/user")


def book(api: CobotAPI) -> dict[str, Any]:
    """Book a room."""
    room = {"resource_id": "resource-co-up-1", "title": "Standup"}
    free = {"from": "2027-03-01T09:00:00Z", "to": "2027-03-01T10:00:00Z"}
    booked: dict[str, Any] = api.post("/api/bookings", room | free)
    return booked


OK = answer(json.dumps({"data": {"type": "users", "id": "1"}}).encode())
BROKEN_OFF = answer(b'{"data"', length=100)


def client_at(make_portal: MakePortal, port: int, **changes: Any) -> CobotAPI:
    """A client whose API 2 is somewhere else."""
    with make_portal(COBOT_OIDC_API_URL=f"http://localhost:{port}", **changes).app_context():
        return CobotAPI("a-token", user="grace")


def too_many(headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return answer(status="429 Too Many Requests", headers=lines)


def test_a_refused_call_is_made_again_when_cobot_said(
    app: Flask, api: CobotAPI, cobot: StandIn, clock: Clock, waits: Waits
) -> None:
    cobot.limit(calls=2, seconds=4, clock=clock)
    for _ in range(3):
        me(api)
    [wait] = waits
    assert 4 <= wait <= 4 + SPREAD
    assert (cobot.refused_for_limit, cobot.asked("/api/user")) == (1, 4)
    assert how_often(app, "api_rate_limited") == 0


def test_a_wait_that_is_too_long_is_an_error_at_once(
    app: Flask, api: CobotAPI, cobot: StandIn, clock: Clock, waits: Waits
) -> None:
    cobot.limit(calls=0, seconds=7, clock=clock)

    error = refusal(lambda: me(api))

    assert (error.code, error.api_status, error.status) == ("rate_limited", 429, 503)
    assert error.details["retry_after_seconds"] == 7
    assert error.details["request_id"]
    assert (waits, cobot.asked("/api/user"), how_often(app, "api_rate_limited")) == ([], 1, 1)


def test_the_caller_sets_how_long_a_call_may_wait(api: CobotAPI, cobot: StandIn, clock: Clock, waits: Waits) -> None:
    cobot.limit(calls=1, seconds=7, clock=clock)
    me(api)
    me(api.waiting(7))
    assert waits == [pytest.approx(7)]  # not a moment longer than allowed
    assert refusal(lambda: me(api.waiting(6.9))).code == "rate_limited"
    assert len(waits) == 1


def test_the_bound_is_for_all_waits_of_one_call_together(api: CobotAPI, cobot: StandIn, waits: Waits) -> None:
    cobot.reply("api", status=429, headers={"Retry-After": "2"})
    error = refusal(lambda: me(api))
    assert error.details["retry_after_seconds"] == 2
    assert len(waits) == 2
    assert sum(waits) <= 5
    assert cobot.asked("/api/user") == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "3"}, 3, id="seconds"),
        pytest.param({"Retry-After": " 3 "}, 3, id="spaces around"),
        pytest.param({"Retry-After": "Wed, 25 Nov 2026 12:00:04 GMT", "Date": DATE}, 4, id="date"),
        pytest.param({"Retry-After": "Wednesday, 25-Nov-26 12:00:04 GMT", "Date": DATE}, 4, id="obsolete date"),
        pytest.param({"Retry-After": "Wed, 25 Nov 2026 11:00:00 GMT", "Date": DATE}, SHORTEST, id="date that is over"),
        pytest.param({"Retry-After": "0"}, SHORTEST, id="zero"),
        pytest.param({"Retry-After": "-3"}, SHORTEST, id="negative"),
        pytest.param({"Retry-After": "1.5"}, SHORTEST, id="fraction"),
        pytest.param({"Retry-After": "soon"}, SHORTEST, id="garbage"),
        pytest.param({"Retry-After": "1e1"}, SHORTEST, id="another notation"),
        pytest.param({"Retry-After": "Wed, 99 Nov 2026 12:00:04 GMT", "Date": DATE}, SHORTEST, id="no date"),
        pytest.param({"Retry-After": "Wed, 25 Nov 2026 12:00:04 GMT", "Date": "now"}, SHORTEST, id="no Date"),
        pytest.param({"Retry-After": ""}, SHORTEST, id="empty"),
        pytest.param({}, SHORTEST, id="missing"),
    ],
)
def test_how_long_a_refused_call_waits(
    make_portal: MakePortal, waits: Waits, headers: dict[str, str], seconds: float
) -> None:
    with hostile_server(says(too_many(headers), OK)) as server:
        assert client_at(make_portal, server.port).get("/user")
        assert len(server.requests) == 2
    [wait] = waits
    assert seconds <= wait <= seconds + SPREAD


@pytest.mark.parametrize("value", ["3601", "999999999", "Wed, 25 Nov 2126 12:00:00 GMT"])
def test_nobody_waits_for_centuries(make_portal: MakePortal, waits: Waits, value: str) -> None:
    with hostile_server(says(too_many({"Retry-After": value, "Date": DATE}))) as server:
        error = refusal(lambda: client_at(make_portal, server.port).waiting(3599).get("/user"))
        assert (waits, len(server.requests)) == ([], 1)
    assert error.details["retry_after_seconds"] == 3600


@pytest.mark.parametrize("value", ["0", "soon", "99999999999999999999"])
def test_a_cobot_that_refuses_for_ever_is_not_stormed(api: CobotAPI, cobot: StandIn, waits: Waits, value: str) -> None:
    cobot.reply("api", status=429, headers={"Retry-After": value})
    assert refusal(lambda: me(api)).code == "rate_limited"
    assert sum(waits) <= 5
    assert cobot.asked("/api/user") <= 6


def test_a_refused_booking_was_not_made_and_is_made_once(
    api: CobotAPI, cobot: StandIn, clock: Clock, waits: Waits
) -> None:
    before = set(cobot.world.of("co-up").bookings)
    cobot.limit(calls=1, seconds=4, clock=clock)
    me(api)

    booked = book(api)

    assert set(cobot.world.of("co-up").bookings) - before == {booked["id"]}
    assert (len(waits), cobot.refused_for_limit) == (1, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_that_passes_is_not_noticed(
    app: Flask, api: CobotAPI, cobot: StandIn, waits: Waits, status: int
) -> None:
    cobot.reply("api", status=status, times=2)
    assert me(api)
    assert len(waits) == 2
    assert cobot.asked("/api/user") == 3
    assert how_often(app, "api_unavailable") == 0


def test_a_failure_that_stays_is_met_three_times(app: Flask, api: CobotAPI, cobot: StandIn, waits: Waits) -> None:
    cobot.reply("api", status=503)
    error = refusal(lambda: me(api))
    assert (error.code, error.api_status, error.status) == ("api_failing", 503, 503)
    assert (len(waits), cobot.asked("/api/user"), how_often(app, "api_unavailable")) == (2, 3, 1)


def test_pauses_grow_and_are_random(api: CobotAPI, cobot: StandIn, waits: Waits) -> None:
    cobot.limit(None)
    cobot.reply("api", status=503)
    for _ in range(15):
        refusal(lambda: me(api))
    first, second = waits[::2], waits[1::2]
    assert len(set(waits)) == len(waits) == 30
    assert max(first) <= 0.2 < max(second) <= 0.4


@pytest.mark.parametrize("status", [500, 502, 503])
def test_what_is_not_safe_is_done_once(api: CobotAPI, cobot: StandIn, waits: Waits, status: int) -> None:
    before = set(cobot.world.of("co-up").bookings)
    cobot.reply("api", status=status)

    error = refusal(lambda: book(api))

    assert (error.code, error.api_status) == ("api_failing", status)
    assert (waits, cobot.asked("/api/bookings")) == ([], 1)
    new = set(cobot.world.of("co-up").bookings) - before
    assert len(new) == 1  # it was done, and only the answer says otherwise: again would be twice

    path = f"/api/bookings/{new.pop()}"
    assert refusal(lambda: api.delete(path)).code == "api_failing"
    assert (waits, cobot.asked(path)) == ([], 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_what_cobot_decided_is_not_asked_again(api: CobotAPI, cobot: StandIn, waits: Waits, status: int) -> None:
    cobot.reply("api", status=status, path="/api/user")
    assert refusal(lambda: me(api)).api_status == status
    assert (waits, cobot.asked("/api/user")) == ([], 1)


@pytest.mark.parametrize("breaks", [resets, says_once(BROKEN_OFF), says_once(b"")], ids=["reset", "half", "nothing"])
def test_a_connection_that_breaks_is_opened_again(make_portal: MakePortal, waits: Waits, breaks: Any) -> None:
    with hostile_server(breaks, breaks, says(OK)) as server:
        assert client_at(make_portal, server.port).get("/user") == {"type": "users", "id": "1"}
        assert (len(server.requests), len(waits)) == (3, 2)


@pytest.mark.parametrize("breaks", [resets, says_once(BROKEN_OFF), says_once(b"")], ids=["reset", "half", "nothing"])
def test_a_connection_that_always_breaks_is_opened_three_times(
    make_portal: MakePortal, waits: Waits, breaks: Any
) -> None:
    with hostile_server(breaks) as server:
        error = refusal(lambda: client_at(make_portal, server.port).get("/user"))
        assert (error.code, error.details["reason"]) == ("api_unreachable", "connection broken")
        assert (len(server.requests), len(waits)) == (3, 2)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_whatever_a_broken_connection_swallowed_is_not_sent_again(
    make_portal: MakePortal, waits: Waits, method: str
) -> None:
    with hostile_server(resets, says(OK)) as server:
        api = client_at(make_portal, server.port)
        assert refusal(lambda: api.request(method, "/bookings/1", json={})).code == "api_unreachable"
        assert (len(server.requests), waits) == (1, [])


def test_a_file_that_is_uploaded_again_is_whole(make_portal: MakePortal, waits: Waits, tmp_path: Any) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"a picture" * 1000)
    with hostile_server(says(too_many({"Retry-After": "1"}), OK)) as server, picture.open("rb") as file:
        api = client_at(make_portal, server.port)
        api.request("PUT", "/memberships/1/picture", files={"file": ("picture.png", file, "image/png")})
        assert [request.count(b"a picture") for request in server.requests] == [1000, 1000]
    assert len(waits) == 1


def test_a_wait_never_outlasts_the_request_that_asks(api: CobotAPI, cobot: StandIn, clock: Clock, waits: Waits) -> None:
    cobot.limit(calls=0, seconds=30, clock=clock)
    with within(25):
        error = refusal(lambda: me(api.waiting(60)))
    assert error.details["retry_after_seconds"] == 30
    assert (waits, cobot.asked("/api/user")) == ([], 1)


def test_nothing_is_asked_once_the_time_is_over(api: CobotAPI, cobot: StandIn, waits: Waits) -> None:
    with within(0):
        assert refusal(lambda: me(api)).code == "api_unreachable"
    assert (waits, cobot.asked("/api/user")) == ([], 0)


def test_each_try_is_taken_from_the_budget(make_portal: MakePortal, cobot: StandIn, waits: Waits) -> None:
    cobot.limit(None)
    cobot.reply("api", status=503)
    with make_portal(COBOT_OIDC_API_URL=cobot.api, COBOT_OIDC_API_LIMIT="2 per 1 hour").app_context():
        api = CobotAPI(cobot.issue_token("grace", SCOPE), space="co-up", user="grace")
    assert refusal(lambda: me(api)).code == "rate_limited"
    assert (len(waits), cobot.asked("/api/user")) == (2, 2)

"""Answers that no honest API gives: each is an ``APIError``, within limits of bytes and memory, and nothing else."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from cobot_oidc import CobotAPI
from cobot_oidc.standin import StandIn

from ..conftest import MakePortal
from ..provider.hostile import Script, answer, floods, hostile_server, resets, says, says_once
from .conftest import MakeAPI, refusal

LARGEST_FILE = 8 * 1024 * 1024  # bytes
LARGEST = 2 * 1024 * 1024  # bytes of JSON
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

DECEITFUL: dict[str, bytes] = {
    "a byte order mark": b'\xef\xbb\xbf{"data": []}',
    "UTF-16": '{"data": []}'.encode("utf-16"),
    "no UTF-8": b'{"data": [], "x": "\xff"}',
    "a name twice": b'{"data": [], "data": [{"type": "bookings", "id": "1"}]}',
    "deep nesting": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "NaN": b'{"data": [], "x": NaN}',
    "Infinity": b'{"data": [], "x": -Infinity}',
    "a number without end": b'{"data": [], "x": ' + b"9" * 5000 + b"}",
    "a number beyond all doubles": b'{"data": [], "x": 1e999}',
    "half a pair of surrogates": b'{"data": [], "x": "\\ud800"}',
    "two documents": b'{"data": []}{"data": []}',
    "half a document": b'{"data": [',
    "white space": b"   ",
    "JavaScript": b'callback({"data": []})',
}


@pytest.mark.covers("A15")
@pytest.mark.parametrize("body", DECEITFUL.values(), ids=DECEITFUL)
@pytest.mark.parametrize("path", ["/bookings", "/api/user"])
def test_what_only_looks_like_json_is_not_read(make_api: MakeAPI, cobot: StandIn, path: str, body: bytes) -> None:
    cobot.reply("api", body=body)

    error = refusal(lambda: make_api().get(path))

    assert (error.code, error.api_status, error.status) == ("answer_unusable", 200, 502)


@pytest.mark.covers("A15")
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/json", "", "application/jsonp", "image/svg+xml"])
def test_what_does_not_say_that_it_is_json_is_not_read(make_api: MakeAPI, cobot: StandIn, kind: str) -> None:
    cobot.reply("api", headers={"Content-Type": kind}, body=b'{"data": []}')
    api = make_api()

    calls = [lambda: api.get("/bookings"), lambda: api.get("/api/user"), api.me, api.granted_scopes]
    errors = [refusal(call) for call in calls]

    assert {error.code for error in errors} == {"answer_unusable"}
    assert {error.details["got"] for error in errors} == {ascii(kind)}


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON ; charset=utf-8", "application/vnd.api+json"])
def test_what_says_that_it_is_json_is_read(make_api: MakeAPI, cobot: StandIn, kind: str) -> None:
    cobot.reply("api", headers={"Content-Type": kind})

    assert make_api(space="co-up").get("/api/space")["id"] == "co-up"


def at(make_portal: MakePortal, script: Script, **changes: Any) -> Any:
    """The error of a question to a server that plays a script."""
    with hostile_server(script) as server:
        portal = make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/"), **changes)
        with portal.app_context():
            return refusal(lambda: CobotAPI("a-token-of-somebody").get("/bookings"))


LARGE = b'{"data": [], "x": "' + b"x" * (9 * 1024 * 1024) + b'"}'


ENDLESS: dict[str, Script] = {
    "9 MB": says_once(answer(LARGE)),
    "9 MB without a length": says_once(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + LARGE),
    "a terabyte, as it claims": says_once(answer(b"{", length=2**40)),
    "chunks without end": floods(CHUNKED, b"100\r\n" + b"x" * 256 + b"\r\n"),
    "chunks of a byte without end": floods(CHUNKED, b"1\r\nx\r\n"),
    "trailers without end": floods(CHUNKED + b"0\r\n", b"X: x\r\n"),
    "headers without end": floods(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
    "gzip": says_once(answer(gzip.compress(b'{"data": []}'), headers="Content-Encoding: gzip\r\n")),
    "an encoding of its own": says_once(answer(b'{"data": []}', headers="Content-Encoding: x\r\n")),
    "no HTTP at all": says_once(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n"),
}


@pytest.mark.covers("A15")
@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.usefixtures("waits")
def test_an_answer_without_bounds_is_given_up(make_portal: MakePortal, script: Script) -> None:
    error = at(make_portal, script)

    assert error.code in ("answer_unusable", "api_unreachable")
    assert "a-token" not in f"{error} {error.__dict__}"


def test_an_answer_of_2_mb_is_read(make_portal: MakePortal) -> None:
    frame = len(b'{"data": [{"type": "x", "id": ""}]}')
    body = b'{"data": [{"type": "x", "id": "' + b"x" * (LARGEST - frame) + b'"}]}'
    with (
        hostile_server(says(answer(body), answer(body + b" "))) as server,
        make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/")).app_context(),
    ):
        api = CobotAPI()
        [resource] = api.get("/bookings")
        error = refusal(lambda: api.get("/bookings"))

    assert len(resource["id"]) == LARGEST - frame
    assert error.code == "answer_unusable"


@pytest.mark.covers("A13", "A15")
@pytest.mark.parametrize("status", ["200 OK", "302 Found", "500 No"])
@pytest.mark.usefixtures("waits")
def test_no_answer_is_unpacked(make_portal: MakePortal, status: str) -> None:
    bomb = gzip.compress(b"x" * 64 * 1024 * 1024)
    headers = "Content-Encoding: gzip\r\nLocation: /elsewhere\r\n"
    packed = answer(bomb, status=status, headers=headers)
    tracemalloc.start()
    try:
        error = at(make_portal, says(packed))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert error.details["reason"] == "content encoding"
    assert peak < 16 * 1024 * 1024


@pytest.mark.covers("A13")
@pytest.mark.parametrize("location", ["http://[", "http://evil:port/", "http://\udcff/", "x" * 5000, "http://:0", "//"])
def test_a_redirect_to_nowhere_is_a_redirect(make_portal: MakePortal, location: str) -> None:
    headers = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n"

    error = at(make_portal, says(headers.encode("ascii", "surrogateescape")))

    assert (error.code, error.details["reason"]) == ("answer_unusable", "a redirect")


def test_a_file_of_more_than_8_mb_is_not_read(make_portal: MakePortal) -> None:
    with (
        hostile_server(says(answer(b"x" * LARGEST_FILE), answer(b"x" * (LARGEST_FILE + 1)))) as server,
        make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/")).app_context(),
    ):
        api = CobotAPI()
        assert len(api.download("/file").content) == LARGEST_FILE
        assert refusal(lambda: api.download("/file")).code == "answer_unusable"


def test_what_may_have_arrived_is_not_sent_again(make_portal: MakePortal, waits: list[float]) -> None:
    with (
        hostile_server(resets) as server,
        make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/")).app_context(),
    ):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert refusal(lambda method=method: CobotAPI().request(method, "/bookings")).code == "api_unreachable"  # type: ignore[misc]

    assert (len(server.requests), waits) == (4, [])


def test_nothing_is_taken_from_the_environment(
    make_portal: MakePortal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password of-somebody", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with (
        hostile_server(says(answer(b'{"data": []}'))) as proxy,
        hostile_server(says(answer(b'{"data": []}'))) as server,
    ):
        monkeypatch.setenv("http_proxy", proxy.url())
        with make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/")).app_context():
            CobotAPI().get("/bookings")

    assert proxy.connections == 0
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.covers("A15")
def test_no_cookie_is_kept(make_portal: MakePortal) -> None:
    reply = answer(b'{"data": []}', headers="Set-Cookie: a=b; Path=/\r\n")
    with (
        hostile_server(says(reply)) as server,
        make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/")).app_context(),
    ):
        api = CobotAPI()
        api.get("/bookings")
        api.get("/bookings")

    assert len(server.requests) == 2
    assert not [request for request in server.requests if b"\r\ncookie:" in request.lower()]


# ---------------------------------------------------------------------- who somebody is

MEMBERSHIP = {"id": "m-1", "space_subdomain": "co-up"}
NOBODY: list[Any] = [
    None,
    [],
    {},
    "ada",
    5,
    True,
    [{"id": "1"}],
    {"id": None},
    {"id": ""},
    {"id": 5},
    {"id": ["1"]},
    {"id": {"id": "1"}},
    {"email": "ada@example.org", "memberships": []},
    {"id": "1", "memberships": 5},
    {"id": "1", "memberships": "co-up"},
    {"id": "1", "memberships": {"co-up": {}}},
    {"id": "1", "memberships": ["co-up"]},
    {"id": "1", "memberships": [None]},
    {"id": "1", "memberships": [[]]},
    {"id": "1", "memberships": [{}]},
    {"id": "1", "memberships": [{"id": "m-1"}]},
    {"id": "1", "memberships": [{"space_subdomain": "co-up"}]},
    {"id": "1", "memberships": [MEMBERSHIP | {"space_subdomain": None}]},
    {"id": "1", "memberships": [MEMBERSHIP | {"space_subdomain": ""}]},
    {"id": "1", "memberships": [MEMBERSHIP | {"space_subdomain": ["co-up"]}]},
    {"id": "1", "memberships": [MEMBERSHIP | {"id": 5}]},
    {"id": "1", "memberships": [MEMBERSHIP, {}]},
    {"id": "1", "admin_of": True},
    {"id": "1", "admin_of": "co-up"},
    {"id": "1", "admin_of": ["co-up"]},
    {"id": "1", "admin_of": {"space_subdomain": "co-up"}},
    {"id": "1", "admin_of": [{"space_name": "co.up"}]},
    {"id": "1", "admin_of": [{"space_subdomain": 5}]},
    {"name": "Cobot", "locale": "en", "features": []},  # what www says of itself at any unknown *.json
]


@pytest.mark.covers("A17")
@pytest.mark.parametrize("document", NOBODY, ids=json.dumps)
def test_who_somebody_is_has_to_be_said_wholly(make_api: MakeAPI, cobot: StandIn, document: Any) -> None:
    cobot.alter("api", lambda _: document, path="/api/user")

    assert refusal(make_api().me).code == "answer_unusable"


@pytest.mark.parametrize("nowhere", [{}, {"memberships": None, "admin_of": None}, {"memberships": [], "admin_of": []}])
def test_who_is_nowhere_a_member_is_nobody_special(make_api: MakeAPI, cobot: StandIn, nowhere: dict[str, Any]) -> None:
    cobot.alter("api", lambda _: {"id": "1", **nowhere}, path="/api/user")

    me = make_api().me()

    assert (me.id, me.email, me.memberships, me.admin_of) == ("1", None, (), ())


def test_what_may_be_missing_is_none_if_it_is_no_text(make_api: MakeAPI, cobot: StandIn) -> None:
    odd = {"id": "1", "email": 5, "memberships": [MEMBERSHIP | {"space_name": []}]}
    cobot.alter("api", lambda _: odd | {"admin_of": [{"space_subdomain": "co-up", "name": {}}]}, path="/api/user")

    me = make_api().me()

    assert (me.email, me.memberships[0].space_name, me.admin_of[0].name) == (None, None, None)

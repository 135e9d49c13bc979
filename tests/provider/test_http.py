"""The HTTP client against servers that are slow, endless, broken or lying."""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cobot_oidc.errors import ProviderError
from cobot_oidc.provider.http import LARGEST_ANSWER, LARGEST_DOCUMENT, HTTPClient
from cobot_oidc.settings import ProviderSettings

from ..certificates import Authority
from ..patience import eventually, takes_less_than
from .hostile import Script, Visit, answer, floods, hangs, hostile_server, resets, says, says_once

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HURRIED = ProviderSettings(connect_timeout=0.3, read_timeout=0.3, total_timeout=0.4)
PATIENT = ProviderSettings(connect_timeout=30, read_timeout=30, total_timeout=60)  # a machine may be busy
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def client(settings: ProviderSettings = PATIENT, sleep: Callable[[float], None] = time.sleep) -> HTTPClient:
    return HTTPClient(settings, sleep=sleep)


def failure(call: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        call()
    return raised.value


def test_an_answer_arrives_whole() -> None:
    with hostile_server(says(answer(b'{"a": 1}', headers="Cache-Control: max-age=90\r\n"))) as server:
        response = client().get(server.url())

    assert (response.status, response.body) == (200, b'{"a": 1}')
    assert (response.content_type, response.cache_control) == ("application/json", "max-age=90")
    assert b"Accept-Encoding: identity\r\n" in server.requests[0]


def drips(before: bytes, drop: bytes) -> Script:
    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(before)
        visit.drip(drop, every=0.02)

    return script


SLOW: dict[str, Script] = {
    "accepts and hangs": lambda visit: visit.wait(),
    "hangs after the request": hangs,
    "a byte of a header at a time": drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "headers without end": drips(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
    "100 Continue without end": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a byte of the body at a time": drips(answer(b"", length=1000), b"x"),
    "a chunk at a time": drips(CHUNKED, b"1\r\nx\r\n"),
    "a byte of a chunk's size at a time": drips(CHUNKED, b"0"),
    "trailers without end": drips(CHUNKED + b"0\r\n", b"X: x\r\n"),
}


@pytest.mark.covers("N01")
@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_call_lasts_longer_than_its_time(script: Script, method: str) -> None:
    def lasts() -> float:
        with hostile_server(script) as server:
            http = client(HURRIED)
            began = time.monotonic()
            call = http.get if method == "GET" else lambda url: http.post_form(url, "a=b", FORM)
            error = failure(lambda: call(server.url()))
            lasted = time.monotonic() - began
            eventually(lambda: server.connections)
        assert (error.code, error.status) == ("provider_unreachable", 503)
        assert server.connections == 1
        return lasted

    assert takes_less_than(HURRIED.total_timeout + 0.3, lasts)


@pytest.mark.covers("N01", "N06")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_resolver_that_hangs_ends(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    resolve, released = socket.getaddrinfo, threading.Event()
    answered = threading.Semaphore(0)

    with hostile_server(says(answer())) as server:

        def hang(*_: object, **__: object) -> object:
            released.wait(60)
            answered.release()
            return resolve("127.0.0.1", server.port, 0, socket.SOCK_STREAM)

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        http = client(HURRIED)
        url = f"http://provider.example:{server.port}/"
        error = failure(lambda: http.get(url) if method == "GET" else http.post_form(url, "code=x", FORM))
        assert error.code == "provider_unreachable"
        assert not released.is_set()
        released.set()
        assert answered.acquire(timeout=60)
        assert server.requests == []  # what was connected too late is used by nobody


@pytest.mark.covers("N06")
def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert failure(lambda: client().get("https://provider.example/")).code == "provider_unreachable"


@pytest.mark.covers("N01")
def test_a_handshake_that_hangs_ends() -> None:
    with hostile_server(lambda visit: visit.wait()) as server:

        def lasts() -> float:
            http = client(HURRIED)
            began = time.monotonic()
            error = failure(lambda: http.get(f"https://127.0.0.1:{server.port}/"))
            lasted = time.monotonic() - began
            assert error.status == 503
            return lasted

        assert takes_less_than(HURRIED.total_timeout + 0.3, lasts)


def endless(visit: Visit) -> None:
    visit.read_request()
    visit.send(CHUNKED)
    while True:
        visit.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")


TOO_LARGE: dict[str, Callable[[int], Script]] = {
    "one byte too many": lambda largest: says(answer(b"x" * (largest + 1))),
    "chunks without end": lambda _: endless,
    "until the connection ends": lambda largest: says_once(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (largest + 1)),
    "far more promised": lambda largest: says(answer(b"x" * (largest + 1), length=10**12)),
}


@pytest.mark.covers("N02")
@pytest.mark.parametrize("make", TOO_LARGE.values(), ids=TOO_LARGE)
def test_no_answer_is_read_beyond_its_limit(make: Callable[[int], Script]) -> None:
    with hostile_server(make(LARGEST_DOCUMENT)) as server:
        error = failure(lambda: client().get(server.url()))
    assert (error.code, error.status) == ("response_unusable", 502)

    with hostile_server(make(LARGEST_ANSWER)) as server:
        error = failure(lambda: client().post_form(server.url(), "a=b", FORM))
    assert (error.code, error.status) == ("response_unusable", 502)
    assert server.connections == 1


ENDLESS: dict[str, Script] = {
    "100 Continue": floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "100 Continue with header fields": floods(b"", b"HTTP/1.1 100 Continue\r\nX: x\r\n\r\n"),
    "a header field": floods(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "header fields": floods(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
    "trailer fields": floods(CHUNKED + b"0\r\n", b"X: x\r\n"),
    "a chunk's size": floods(CHUNKED, b"0"),
    "a chunk's extension": floods(CHUNKED + b"1;", b"x"),
    "chunks of one byte": floods(CHUNKED, b"1\r\nx\r\n"),
}


@pytest.mark.covers("X08")
@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_has_no_end_is_given_up_long_before_the_deadline(script: Script, method: str) -> None:
    http = client()
    with hostile_server(script) as server:
        began = time.thread_time()
        error = failure(lambda: http.get(server.url()) if method == "GET" else http.post_form(server.url(), "a=b", {}))
        assert time.thread_time() - began < 1  # of this thread's CPU; what is spent is a tenth of that or less
    assert error.code in ("response_unusable", "provider_unreachable")
    assert error.details["reason"] != "'timeout'"


@pytest.mark.covers("N02")
@pytest.mark.parametrize("before", ["103 Early Hints", "102 Processing", "100 Continue", "199 Odd"])
def test_what_comes_before_an_answer_is_not_the_answer(before: str) -> None:
    early = f"HTTP/1.1 {before}\r\nLink: </x>; rel=preload\r\n\r\n".encode()
    with hostile_server(says(early * 2 + answer(b"1"), early + answer(b"2"))) as server:
        http = client()
        assert [http.post_form(server.url(), "a=b", FORM).body for _ in range(2)] == [b"1", b"2"]
    assert server.connections == 1


def test_an_answer_at_its_limit_is_read() -> None:
    with hostile_server(says(answer(b"x" * LARGEST_DOCUMENT))) as server:
        assert len(client().get(server.url()).body) == LARGEST_DOCUMENT


@pytest.mark.covers("N02", "N06")
def test_an_answer_that_breaks_off_is_no_answer() -> None:
    with hostile_server(says_once(answer(b"{", length=100))) as server:
        assert failure(lambda: client().post_form(server.url(), "a=b", FORM)).code == "provider_unreachable"
        assert server.connections == 1
        assert failure(lambda: client().get(server.url())).code == "provider_unreachable"
        assert server.connections == 3


@pytest.mark.covers("N02")
def test_what_is_left_of_an_answer_is_not_the_next_one() -> None:
    forged, went_on, sent = answer(b"forged"), threading.Event(), threading.Event()

    def goes_on(visit: Visit) -> None:
        visit.read_request()
        visit.send(answer(b"{}"))
        went_on.wait(60)
        visit.send(forged)
        sent.set()
        visit.wait()

    with hostile_server(goes_on, says(answer(b"{}" + forged, length=2), answer(b"[]"))) as server:
        http = client()
        assert http.get(server.url()).body == b"{}"
        went_on.set()
        sent.wait(60)
        assert http.get(server.url()).body == b"{}"
        assert http.get(server.url()).body == b"[]"
    assert server.connections == 2


@pytest.mark.covers("N03")
@pytest.mark.parametrize(
    "encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown", ", ".join(["gzip"] * 100)]
)
def test_encoded_answers_are_refused_unread(encoding: str) -> None:
    bomb = answer(b"\x1f\x8b" + b"x" * 1000, headers=f"Content-Encoding: {encoding}\r\n")
    with hostile_server(says(bomb)) as server:
        assert failure(lambda: client().get(server.url())).code == "response_unusable"
        assert failure(lambda: client().post_form(server.url(), "a=b", FORM)).code == "response_unusable"


@pytest.mark.covers("N05")
@pytest.mark.parametrize(
    ("status", "retry_after", "requests", "slept"),
    [
        ("502 Bad Gateway", None, 2, []),
        ("503 Service Unavailable", None, 2, []),
        ("503 Service Unavailable", "1", 2, [1]),
        ("503 Service Unavailable", "120", 1, []),
        ("504 Gateway Timeout", None, 2, []),
        ("429 Too Many Requests", "2", 2, [2]),
        ("429 Too Many Requests", "3", 1, []),
        ("429 Too Many Requests", None, 1, []),
        ("429 Too Many Requests", "-1", 1, []),
        ("429 Too Many Requests", "soon", 1, []),
        ("429 Too Many Requests", "9" * 30, 1, []),
        ("500 Internal Server Error", None, 1, []),
        ("404 Not Found", None, 1, []),
    ],
)
def test_a_document_is_asked_for_again_where_that_helps(
    status: str, retry_after: str | None, requests: int, slept: list[float]
) -> None:
    naps: list[float] = []
    headers = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    with hostile_server(says(answer(status=status, headers=headers))) as server:
        http = client(PATIENT, naps.append)
        assert http.get(server.url()).status == int(status[:3])
        assert (len(server.requests), naps) == (requests, slept)

        http.post_form(server.url(), "a=b", FORM)
        assert len(server.requests) == requests + 1


@pytest.mark.covers("N05")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1", 1), ("120", 120), ("999999999", 3600), ("Tue, 24 Nov 2026 12:01:00 GMT", 60), ("x", None), ("-5", None)],
)
def test_when_to_come_back(value: str, seconds: float | None) -> None:
    headers = f"Date: Tue, 24 Nov 2026 12:00:00 GMT\r\nRetry-After: {value}\r\n"
    with hostile_server(says(answer(status="500 Oops", headers=headers))) as server:
        assert client().get(server.url()).retry_after == seconds


@pytest.mark.covers("F22", "N06")
def test_a_reset_costs_a_document_nothing_and_a_code_is_never_sent_twice() -> None:
    with hostile_server(resets, says(answer(b"true"))) as server:
        assert client().get(server.url()).body == b"true"
    with hostile_server(resets, says(answer(b"true"))) as server:
        assert failure(lambda: client().post_form(server.url(), "code=x", FORM)).code == "provider_unreachable"
        assert (server.connections, len(server.requests)) == (1, 1)


@pytest.mark.covers("N06")
def test_a_registration_is_sent_as_json_and_never_twice() -> None:
    with hostile_server(resets, says(answer(b"true"))) as server:
        assert failure(lambda: client().post_json(server.url(), {"client_name": "é"})).code == "provider_unreachable"
        assert (server.connections, len(server.requests)) == (1, 1)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"Content-Type: application/json\r\n" in head + b"\r\n"
    assert json.loads(body) == {"client_name": "é"}

    with hostile_server(says(answer(b"x" * (LARGEST_ANSWER + 1)))) as server:
        assert failure(lambda: client().post_json(server.url(), {})).code == "response_unusable"
        assert server.connections == 1


@pytest.mark.covers("N06")
def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for call in (client().get, lambda url: client().post_form(url, "a=b", FORM)):
        for host in ("127.0.0.1", "cobot.localhost"):
            error = failure(lambda: call(f"http://{host}:{port}/"))  # noqa: B023 # called at once
            assert (error.code, error.status) == ("provider_unreachable", 503)
    assert failure(lambda: client(HURRIED).get("https://no-such-host.invalid/")).code == "provider_unreachable"


def test_connections_are_kept() -> None:
    with hostile_server(says(answer())) as server:
        http = client()
        for _ in range(3):
            http.get(server.url())
            http.post_form(server.url(), "a=b", FORM)
    assert server.connections == 1


@pytest.mark.covers("N07")
def test_a_kept_connection_that_was_closed_costs_no_login() -> None:
    closed = threading.Event()

    def closes(visit: Visit) -> None:
        visit.read_request()
        visit.send(answer())
        visit.connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with hostile_server(closes, says(answer(b"true"))) as server:
        http = client()
        http.get(server.url())
        closed.wait(60)
        assert http.post_form(server.url(), "code=x", FORM).body == b"true"
    assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.covers("N07")
def test_a_connection_that_was_idle_for_long_is_not_trusted() -> None:
    with hostile_server(says(answer())) as server:
        http = client(replace(PATIENT, longest_idle=0))
        http.get(server.url())
        http.post_form(server.url(), "a=b", FORM)
    assert server.connections == 2


@pytest.mark.covers("R11")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    with hostile_server(says(answer(b"true"))) as target:
        for location in (target.url(), "file:///etc/passwd", "http://169.254.169.254/"):
            redirect = answer(status=status, headers=f"Location: {location}\r\n")
            with hostile_server(says(redirect)) as server:
                assert client().get(server.url()).status == int(status[:3])
                assert client().post_form(server.url(), "code=x", FORM).status == int(status[:3])
    assert target.connections == 0


@pytest.mark.covers("N13")
def test_a_provider_s_cookies_are_not_kept() -> None:
    with hostile_server(says(answer(headers="Set-Cookie: who=somebody; Path=/\r\n"))) as server:
        http = client()
        http.post_form(server.url("a.localhost"), "a=b", FORM)
        http.get(server.url("a.localhost"))
    assert not any(b"cookie" in request.lower() for request in server.requests)


@pytest.mark.covers("R14")
def test_nothing_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere")

    with hostile_server(says(answer())) as server:
        assert client().get(server.url()).status == 200
    assert b"Authorization" not in server.requests[0]


@pytest.mark.covers("R14")
def test_a_configured_proxy_is_used_but_not_for_the_loopback() -> None:
    with hostile_server(says(answer(b"true"))) as proxy, hostile_server(says(answer())) as server:
        http = client(replace(PATIENT, proxies={"http": proxy.url()}))
        assert http.get("http://cobot.example/").body == b"true"
        assert http.get(server.url("a.localhost")).body == b"{}"
    assert proxy.requests[0].startswith(b"GET http://cobot.example/ ")


def test_names_below_localhost_are_this_machine() -> None:
    with hostile_server(says(answer())) as server:
        for host in ("localhost", "www.cobot.localhost", "co-up.cobot.localhost"):
            assert client().get(server.url(host)).status == 200
            assert f"Host: {host}:{server.port}\r\n".encode() in server.requests[-1]


@pytest.mark.covers("N14")
def test_many_threads_share_a_client() -> None:
    def echo(visit: Visit) -> None:
        while visit.read_request():
            visit.send(answer(b"x"))

    with hostile_server(echo) as server:
        http = client()
        bodies: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: bodies.extend(http.get(server.url()).body for _ in range(20)))
            for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bodies == [b"x"] * 320


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.covers("R15")
def test_a_certificate_that_holds_is_taken(authority: Authority) -> None:
    with hostile_server(says(answer()), tls=authority.server("cobot.localhost")) as server:
        http = client(replace(PATIENT, ca_bundle=str(authority.bundle)))
        for _ in range(3):
            assert http.get(server.url("cobot.localhost")).status == 200
    assert server.connections == 1


@pytest.mark.covers("R15")
@pytest.mark.parametrize("case", ["unknown authority", "another host", "expired", "for the address alone"])
def test_a_certificate_that_does_not_hold_is_an_end(authority: Authority, case: str) -> None:
    hosts = {"another host": "other.localhost", "for the address alone": "127.0.0.1"}
    tls = authority.server(hosts.get(case, "cobot.localhost"), days=-1 if case == "expired" else 1)
    bundle = None if case == "unknown authority" else str(authority.bundle)
    with hostile_server(says(answer()), tls=tls) as server:
        http = client(replace(PATIENT, ca_bundle=bundle))
        assert failure(lambda: http.get(server.url("cobot.localhost"))).code == "tls_failed"
        assert failure(lambda: http.post_form(server.url("cobot.localhost"), "a=b", FORM)).code == "tls_failed"
    assert server.requests == []

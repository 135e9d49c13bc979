"""What the operator reads when a provider cannot be reached: which of the ways it was (26)."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from cobot_oidc.provider.http import HTTPClient
from cobot_oidc.settings import ProviderSettings

from .hostile import answer, hangs, hostile_server, resets, says_once
from .test_http import FORM, HURRIED, PATIENT, client, failure

Url = Callable[[ExitStack], str]


def nobody(_: ExitStack) -> str:
    return "https://no-such-host.invalid/"


def refused(_: ExitStack) -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://localhost:{listener.getsockname()[1]}/"


def silent(stack: ExitStack) -> str:
    return stack.enter_context(hostile_server(hangs)).url()


def resetting(stack: ExitStack) -> str:
    return stack.enter_context(hostile_server(resets)).url()


def breaking_off(stack: ExitStack) -> str:
    return stack.enter_context(hostile_server(says_once(answer(b"x", length=10)))).url()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (nobody, "the host name does not resolve"),
        (refused, "connection refused"),
        (silent, "timeout"),
        (resetting, "connection broken"),
        (breaking_off, "connection broken"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_operator_reads_why(stack: ExitStack, url: Url, reason: str, method: str) -> None:
    address, http = url(stack), client(HURRIED if reason == "timeout" else PATIENT)
    error = failure(lambda: http.get(address) if method == "GET" else http.post_form(address, "a=b", FORM))

    assert (error.code, error.details["reason"], error.status) == ("provider_unreachable", reason, 503)


def test_a_provider_on_this_machine_that_was_not_started_is_told_how(stack: ExitStack) -> None:
    elsewhere = failure(lambda: client().get(nobody(stack)))
    here = failure(lambda: client().get(refused(stack)))

    assert "python -m cobot_oidc.standin" in str(here)
    assert "remedy" not in elsewhere.details


def test_an_address_that_answers_no_connection_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", never)
    error = failure(lambda: client().get("http://localhost:9/"))
    assert error.details["reason"] == "timeout"


def test_the_second_try_s_own_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = iter([ConnectionRefusedError(111, "refused"), OSError(113, "no route")])

    def connect(*_: object, **__: object) -> None:
        raise next(refusals)

    monkeypatch.setattr(socket.socket, "connect", connect)
    http = HTTPClient(ProviderSettings())
    assert failure(lambda: http.get("http://localhost:9/")).details["reason"] == "connection broken"

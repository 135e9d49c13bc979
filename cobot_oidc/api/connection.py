"""One call of the API over the network: within limits of time, size and the user's budget, and repeated if it may be.

The OAuth 2.0 session is Authlib's, the bytes go through our own bounded transport, and ``tenacity`` repeats calls.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from authlib.integrations.requests_client import OAuth2Session

from ..errors import APICode, APIError, ProviderError
from ..provider.deadline import seconds_left, within
from ..provider.http import ConnectionFailed, HTTPResponse, received
from ..provider.transport import Transport, bounded, secret_in_path
from ..settings import ProviderSettings
from .budget import Budget

LARGEST_ANSWER = 8 * 1024 * 1024  # bytes of a file
LARGEST_JSON = 2 * 1024 * 1024  # bytes: a page of 200 resources is a tenth of it, and reading takes time
LONGEST_REQUEST_ID = 100  # characters
SAFE_METHODS = ("GET", "HEAD")
MOST_FAILURES = 3  # of one call
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds, between failures
SHORTEST_RETRY_AFTER = 1.0  # seconds: also if Cobot says less, or nothing that can be understood
SPREAD = 0.5  # seconds over which those who wait for the same moment ask again


_SPREADING = tenacity.wait_random(0, SPREAD)


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of the API.

    :ivar options: what ``requests`` takes: ``params``, ``json``, ``data``, ``files``, ``headers``.
    :ivar secret: replaces the placeholder for a secret in the URL when the bytes are sent, and not before.
    """

    method: str
    url: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Again:
    """The call may be made again: after so many seconds, or, if that is ``None``, after a pause of our choice."""

    error: APIError
    seconds: float | None = None


class _Session(OAuth2Session):  # type: ignore[misc] # Authlib is untyped
    """Authlib's session. It sees no redirects: requests would read and unpack their bodies, even if it follows none."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        del resp


class Connection:
    """Calls the API for everybody in this process. This class is thread-safe; connections are kept and reused.

    :param tell: is called with ``api_rate_limited`` and ``api_unavailable``.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        budget: Budget,
        tell: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._tell = tell
        self._sleep = sleep
        self._transport = Transport(settings.ca_bundle)

    def session(self, token: str | None) -> OAuth2Session:
        """The session of one token; ``None`` for public resources."""
        session = _Session(token={"access_token": token, "token_type": "Bearer"} if token else None)
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # N13
        session.mount("http://", self._transport)
        session.mount("https://", self._transport)
        return session

    def answer(self, session: OAuth2Session, call: Call, *, user: str | None, longest_wait: float) -> HTTPResponse:
        """Make a call, and again after a wait if Cobot or the budget asks for one, or if a safe method failed.

        :param user: whose budget the call is taken from; ``None`` if there is no limit for it.
        :param longest_wait: seconds to wait between tries, in all.
        :raises APIError: ``rate_limited`` with ``retry_after_seconds`` if the wait would be longer,
            ``api_unreachable``, ``api_failing`` or ``answer_unusable``.
        """

        def pause(state: tenacity.RetryCallState) -> float:
            again = _outcome(state)
            if isinstance(again, _Again) and again.seconds is not None:
                most = min(longest_wait - state.idle_for, seconds_left())
                return max(again.seconds, min(again.seconds + _SPREADING(state), most))
            return float(tenacity.wait_random_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE)(state))

        def is_over(state: tenacity.RetryCallState) -> bool:
            if state.idle_for + state.upcoming_sleep > longest_wait or state.upcoming_sleep >= seconds_left():
                return True
            again = _outcome(state)
            return isinstance(again, _Again) and again.seconds is None and state.attempt_number >= MOST_FAILURES

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda outcome: isinstance(outcome, _Again)),
            wait=pause,
            stop=is_over,
            sleep=self._sleep,
            retry_error_callback=_outcome,
        )
        outcome = retrying(self._try, session, call, user)
        if isinstance(outcome, _Again):
            self._tell("api_rate_limited" if outcome.error.code == "rate_limited" else "api_unavailable")
            raise outcome.error
        return outcome

    def _try(self, session: OAuth2Session, call: Call, user: str | None) -> HTTPResponse | _Again:
        path = urlsplit(call.url).path
        if user is not None and (wait := self._budget.take(user, call.method, path)) > 0:
            error = APIError("rate_limited", retry_after_seconds=wait, reason="our own budget for this user is used up")
            return _Again(error, wait)
        answer = self._send(session, call)
        if isinstance(answer, APIError):
            if call.method in SAFE_METHODS and answer.code == "api_unreachable":
                return _Again(answer)
            raise answer
        if answer.status == 429:
            wait = max(SHORTEST_RETRY_AFTER, answer.retry_after or 0.0)
            error = APIError(
                "rate_limited",
                api_status=429,
                retry_after_seconds=wait,
                request_id=answer.request_id[:LONGEST_REQUEST_ID],
            )
            return _Again(error, wait)
        if answer.status >= 500:
            error = APIError("api_failing", api_status=answer.status, request_id=answer.request_id[:LONGEST_REQUEST_ID])
            if call.method not in SAFE_METHODS:
                raise error
            return _Again(error)
        return answer

    def _send(self, session: OAuth2Session, call: Call) -> HTTPResponse | APIError:
        """The answer, or the error that stands for one. Its causes are left behind: their frames hold the token."""

        def send(timeout: Any, proxies: Mapping[str, str]) -> requests.Response:
            response: requests.Response = session.request(
                call.method,
                call.url,
                withhold_token=session.token is None,
                timeout=timeout,
                proxies=dict(proxies),
                stream=True,
                allow_redirects=False,
                **call.options,
            )
            return response

        settings = self._settings
        with (
            within(settings.total_timeout),
            bounded(largest=LARGEST_ANSWER, longest_idle=settings.longest_idle),
            secret_in_path(call.secret),
        ):
            try:
                answer = received(send, call.url, settings, LARGEST_ANSWER)
            except ConnectionFailed as failure:
                return APIError("api_unreachable", url=call.url, reason=failure.reason)
            except ProviderError as error:
                code: APICode = "answer_unusable" if error.code == "response_unusable" else "api_unreachable"
                return APIError(code, url=call.url, reason=error.details.get("reason", error.code))
        return answer if answer.status < 300 or session.token is None else _without(answer, session.token)


def _without(answer: HTTPResponse, token: Mapping[str, str]) -> HTTPResponse:
    """What a failure says ends up in errors and logs: nothing, if it repeats the token (L01, L02)."""
    secret = token["access_token"].encode()
    return replace(answer, body=b"", request_id="") if secret in answer.body + answer.request_id.encode() else answer


def _outcome(state: tenacity.RetryCallState) -> Any:
    return state.outcome.result() if state.outcome is not None else None

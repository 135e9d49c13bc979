"""What we ask a provider over HTTP, and what we accept as its answer, within limits of time and size.

There are no redirects, cookies or content encodings, nothing is taken from the environment, and certificates are always
verified. ``transport`` sends and receives the bytes.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3

from ..errors import ProviderError
from ..protocol.urls import is_loopback
from ..settings import ProviderSettings
from .deadline import seconds_left, within
from .transport import TooManyBytes, Transport, bounded

LARGEST_DOCUMENT = 64 * 1024  # bytes
LARGEST_ANSWER = 256 * 1024  # bytes, of the endpoints
LONGEST_RETRY_AFTER = 3600  # seconds that we accept
RETRY_WITHIN = 2  # seconds: if the provider asks us to wait longer, we do not retry
_PASSING = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """A whole answer. ``retry_after`` is in seconds, ``None`` if the provider did not say.

    ``date`` and ``age`` are the headers of these names, which tell what the provider's clock says.
    """

    status: int
    content_type: str
    cache_control: str
    retry_after: float | None
    body: bytes = field(repr=False)
    request_id: str = ""
    date: str = ""
    age: str = ""


def refuse_failure(answer: HTTPResponse) -> None:
    """Raise an error if the answer is a temporary failure.

    :raises ProviderError: ``provider_failing`` for 429 and 5xx.
    """
    if answer.status >= 500 or answer.status == 429:
        wait = {} if answer.retry_after is None else {"retry_after_seconds": answer.retry_after}
        raise ProviderError("provider_failing", http_status=answer.status, **wait)


class HTTPClient:
    """Calls providers. This class is thread-safe; connections are kept and reused."""

    def __init__(self, settings: ProviderSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._transport = Transport(settings.ca_bundle)
        self._sleep = sleep

    def get(
        self,
        url: str,
        *,
        largest: int = LARGEST_DOCUMENT,
        headers: Mapping[str, str] | None = None,
        fails_evenly: bool = False,
    ) -> HTTPResponse:
        """Request a document, and once more if the first try failed temporarily.

        :param largest: the maximum size of the answer in bytes.
        :param fails_evenly: let every kind of connection failure take the same time, so that the owner of the name
            learns nothing about the machines and ports that they point it to (R10).
        :raises ProviderError: ``provider_unreachable``, ``tls_failed`` or ``response_unusable``.
        """
        request = _prepared("GET", url, {"Accept": "application/json", **(headers or {})}, None)
        with self._bounded(url, largest, fails_evenly):
            try:
                response = self._send(request, largest)
            except ConnectionFailed:
                return self._send(request, largest)
            if self._is_worth_a_retry(response):
                return self._send(request, largest)
            return response

    def post_form(self, url: str, body: str, headers: Mapping[str, str], *, fails_evenly: bool = False) -> HTTPResponse:
        """Post a form, and a second time only if the first was certainly never sent (N06, F22).

        :raises ProviderError: as ``get``.
        """
        return self._post(url, body, headers, fails_evenly)

    def post_json(self, url: str, members: Mapping[str, object]) -> HTTPResponse:
        """Post a JSON object, and a second time only if the first was certainly never sent.

        :raises ProviderError: as ``get``.
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return self._post(url, json.dumps(members), headers, False)

    def _post(self, url: str, body: str, headers: Mapping[str, str], fails_evenly: bool) -> HTTPResponse:
        request = _prepared("POST", url, headers, body)
        with self._bounded(url, LARGEST_ANSWER, fails_evenly):
            try:
                return self._send(request, LARGEST_ANSWER)
            except ConnectionFailed as failure:
                if failure.was_sent:
                    raise
            return self._send(request, LARGEST_ANSWER)

    @contextmanager
    def _bounded(self, url: str, largest: int, fails_evenly: bool) -> Iterator[None]:
        settings = self._settings
        with within(settings.total_timeout), bounded(largest=largest, longest_idle=settings.longest_idle):
            try:
                yield
            except ConnectionFailed as failure:
                error = ProviderError("provider_unreachable", url=url, reason=failure.reason, **_remedy(url, failure))
                error.__cause__ = failure
            except ProviderError as failure:
                error = failure
            else:
                return
            if fails_evenly and error.code in ("provider_unreachable", "tls_failed"):
                self._sleep(max(0.0, seconds_left()))
            raise error

    def _is_worth_a_retry(self, response: HTTPResponse) -> bool:
        wait = response.retry_after or 0
        if response.status not in _PASSING and (response.status != 429 or response.retry_after is None):
            return False
        if wait > RETRY_WITHIN or wait >= seconds_left():
            return False
        if wait:
            self._sleep(wait)
        return True

    def _send(self, request: requests.PreparedRequest, largest: int) -> HTTPResponse:
        def send(timeout: urllib3.Timeout, proxies: Mapping[str, str]) -> requests.Response:
            return self._transport.send(
                request,
                stream=True,
                timeout=timeout,  # type: ignore[arg-type] # requests takes urllib3's Timeout; its stubs do not say so
                verify=True,
                proxies=proxies,
            )

        return received(send, request.url or "", self._settings, largest)


def received(
    send: Callable[[urllib3.Timeout, Mapping[str, str]], requests.Response],
    url: str,
    settings: ProviderSettings,
    largest: int,
) -> HTTPResponse:
    """Send a request that is ready, and read its whole answer. To be called within a deadline and ``bounded``.

    :param send: sends it, with this timeout and through these proxies, and leaves the body to be read.
    :param largest: the maximum size of the answer in bytes.
    :raises ConnectionFailed: if there was no connection, or it broke.
    :raises ProviderError: ``provider_unreachable``, ``tls_failed`` or ``response_unusable``.
    """
    left = seconds_left()
    if left <= 0:
        raise ProviderError("provider_unreachable", url=url, reason="timeout")
    timeout = urllib3.Timeout(connect=min(left, settings.connect_timeout), read=min(left, settings.read_timeout))
    try:
        with send(timeout, {} if is_loopback(urlsplit(url).hostname or "") else settings.proxies) as response:
            return _whole(response, url, largest)
    except TooManyBytes as error:
        raise ProviderError("response_unusable", url=url, reason="too many bytes") from error
    except requests.exceptions.SSLError as error:
        raise ProviderError("tls_failed", url=url) from error
    except requests.exceptions.ConnectionError as error:  # includes ConnectTimeout
        raise ConnectionFailed(_reason(error), was_sent=not _was_never_sent(error)) from error
    except urllib3.exceptions.ProtocolError as error:  # the answer broke off
        raise ConnectionFailed(_reason(error), was_sent=True) from error
    except (requests.exceptions.Timeout, TimeoutError, urllib3.exceptions.TimeoutError) as error:
        raise ProviderError("provider_unreachable", url=url, reason="timeout") from error
    except (
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
        ValueError,
    ) as error:
        raise ProviderError("response_unusable", url=url, reason=type(error).__name__) from error


class ConnectionFailed(Exception):
    """There was no connection, or it broke. Unless ``was_sent``, no byte of the request has left this machine."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent


def _was_never_sent(error: requests.exceptions.ConnectionError) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _remedy(url: str, failure: ConnectionFailed) -> dict[str, str]:
    """What to do if a provider on this machine, which has no status page, was not started."""
    if failure.reason != _REFUSED or not is_loopback(urlsplit(url).hostname or ""):
        return {}
    return {"remedy": "start the provider on this machine; the stand-in starts with `python -m cobot_oidc.standin`"}


_REFUSED = "connection refused"


def _reason(error: BaseException) -> str:
    """The cause of a failure, for the operator. Pages never show it, as internal ports could be probed with it."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ConnectionFailed):  # that would be the error of the first try
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "the host name does not resolve"
        if isinstance(cause, ConnectionRefusedError):
            return _REFUSED
        # In urllib3, every connection that cannot be opened is a timeout too.
        if isinstance(cause, _TIMEOUTS) and not isinstance(cause, urllib3.exceptions.NewConnectionError):
            return "timeout"
        cause = cause.__cause__ or cause.__context__
    return "connection broken"


_TIMEOUTS = (TimeoutError, urllib3.exceptions.TimeoutError)


def _prepared(method: str, url: str, headers: Mapping[str, str], body: str | None) -> requests.PreparedRequest:
    headers = {"Accept-Encoding": "identity", "User-Agent": "cobot-oidc", **headers}
    return requests.Request(method, url, headers=headers, data=body).prepare()


def _whole(response: requests.Response, url: str, largest: int) -> HTTPResponse:
    """Read the body of the answer, but not more than is allowed (N02, N03)."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ProviderError("response_unusable", url=url, reason="content encoding", got=encoding)
    body = bytearray()
    while (response.raw.length_remaining or 0) + len(body) <= largest:
        chunk = response.raw.read(16 * 1024, decode_content=False)
        if not chunk:
            break
        body += chunk
    else:
        raise ProviderError("response_unusable", url=url, reason=f"more than {largest} bytes")
    return HTTPResponse(
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        cache_control=response.headers.get("Cache-Control", ""),
        retry_after=_retry_after(response.headers.get("Retry-After"), response.headers.get("Date")),
        request_id=response.headers.get("X-Request-Id", ""),
        date=response.headers.get("Date", ""),
        age=response.headers.get("Age", ""),
        body=bytes(body),
    )


def _retry_after(value: str | None, date: str | None) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date, which is compared with the answer's own ``Date``."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)

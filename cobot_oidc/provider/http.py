"""The one room that opens connections: bounded HTTP over requests, in time, in bytes and in what it follows.

No redirects, no cookies, no content encodings, nothing from the environment, and no way around a certificate's check.
Names below ``localhost`` are this machine (RFC 6761 section 6.3).
"""

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from ..protocol.discovery import is_loopback
from ..protocol.errors import ProviderError
from ..settings import ProviderSettings

LARGEST_DOCUMENT = 64 * 1024  # bytes
LARGEST_ANSWER = 256 * 1024  # bytes, of the token and userinfo endpoints
LONGEST_RETRY_AFTER = 3600  # seconds that we believe
RETRY_WITHIN = 2  # seconds: a provider that wants us later than that is not waited for
_PASSING = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class _Call:
    """The call under way. ``ends`` is a ``time.monotonic()``; a connection idle for longer is not used again."""

    ends: float
    longest_idle: float

    def seconds_left(self) -> float:
        return self.ends - time.monotonic()


_call: ContextVar[_Call] = ContextVar("call")


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """A whole answer. ``retry_after`` is in seconds, ``None`` where the provider did not say."""

    status: int
    content_type: str
    cache_control: str
    retry_after: float | None
    body: bytes = field(repr=False)


class HTTPClient:
    """Calls providers; safe to share between threads. Connections are kept and reused."""

    def __init__(self, settings: ProviderSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._adapter = _Adapter(settings.ca_bundle)
        self._sleep = sleep

    def get(
        self, url: str, *, largest: int = LARGEST_DOCUMENT, headers: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        """Ask for a document; once more where the first try met a passing fault.

        :param largest: bytes that the answer may have.
        :raises ProviderError: ``provider_unreachable``, ``tls_failed`` or ``response_unusable``.
        """
        request = _prepared("GET", url, {"Accept": "application/json", **(headers or {})}, None)
        with self._bounded(url):
            try:
                response = self._send(request, largest)
            except _ConnectionFailed:
                return self._send(request, largest)
            if self._is_worth_a_retry(response):
                return self._send(request, largest)
            return response

    def post_form(self, url: str, body: str, headers: Mapping[str, str]) -> HTTPResponse:
        """Post a form; a second time only if the first was certainly never sent (security.md N06, F22).

        :raises ProviderError: as ``get``.
        """
        request = _prepared("POST", url, headers, body)
        with self._bounded(url):
            try:
                return self._send(request, LARGEST_ANSWER)
            except _ConnectionFailed as failure:
                if failure.was_sent:
                    raise
            return self._send(request, LARGEST_ANSWER)

    @contextmanager
    def _bounded(self, url: str) -> Iterator[None]:
        ends = time.monotonic() + self._settings.total_timeout
        token = _call.set(_Call(ends, self._settings.longest_idle))
        try:
            yield
        except _ConnectionFailed as failure:
            raise ProviderError("provider_unreachable", url=url, reason=failure.reason) from failure
        finally:
            _call.reset(token)

    def _is_worth_a_retry(self, response: HTTPResponse) -> bool:
        wait = response.retry_after or 0
        if response.status not in _PASSING and (response.status != 429 or response.retry_after is None):
            return False
        if wait > RETRY_WITHIN or wait >= _call.get().seconds_left():
            return False
        if wait:
            self._sleep(wait)
        return True

    def _send(self, request: requests.PreparedRequest, largest: int) -> HTTPResponse:
        url = request.url or ""
        left = _call.get().seconds_left()
        if left <= 0:
            raise ProviderError("provider_unreachable", url=url, reason="timeout")
        timeout = urllib3.Timeout(
            connect=min(left, self._settings.connect_timeout), read=min(left, self._settings.read_timeout)
        )
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=timeout,  # type: ignore[arg-type] # requests takes urllib3's Timeout; its stubs do not say so
                verify=True,
                proxies={} if is_loopback(urlsplit(url).hostname or "") else self._settings.proxies,
            )
            with response:
                return _whole(response, url, largest)
        except requests.exceptions.SSLError as error:
            raise ProviderError("tls_failed", url=url) from error
        except requests.exceptions.ConnectionError as error:  # ConnectTimeout among them
            raise _ConnectionFailed(type(error).__name__, was_sent=not _was_never_sent(error)) from error
        except urllib3.exceptions.ProtocolError as error:  # the answer broke off
            raise _ConnectionFailed(type(error).__name__, was_sent=True) from error
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


class _ConnectionFailed(Exception):
    """There was no connection, or it broke. Without ``was_sent`` no byte of the request has left this machine."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent


def _was_never_sent(error: requests.exceptions.ConnectionError) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _prepared(method: str, url: str, headers: Mapping[str, str], body: str | None) -> requests.PreparedRequest:
    headers = {"Accept-Encoding": "identity", "User-Agent": "cobot-oidc", **headers}
    return requests.Request(method, url, headers=headers, data=body).prepare()


def _whole(response: requests.Response, url: str, largest: int) -> HTTPResponse:
    """Read the answer's body, no more of it than may be (security.md N02, N03)."""
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
        body=bytes(body),
    )


def _retry_after(value: str | None, date: str | None) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date, which is read against the answer's own ``Date``."""
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


class _Adapter(HTTPAdapter):
    """requests' transport with our deadline, one TLS context, and the loopback for names below ``localhost``."""

    def __init__(self, ca_bundle: str | None) -> None:
        self._ca_bundle = ca_bundle
        super().__init__(pool_connections=32, pool_maxsize=8)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Checks chain and host name. Made once, as reading the authorities takes longer than a handshake."""
        return ssl.create_default_context(cafile=self._ca_bundle or requests.utils.DEFAULT_CA_BUNDLE_PATH)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """The TLS context checks certificates; requests would read the authorities again for each connection."""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        del verify, cert
        url = urlsplit(request.url or "")
        host = url.hostname or ""
        host_params = {"scheme": url.scheme, "host": host, "port": url.port}
        pool_kwargs: dict[str, Any] = {}
        if url.scheme == "https":
            pool_kwargs = {"cert_reqs": "CERT_REQUIRED", "ssl_context": self._tls}
        if is_loopback(host) and host != "::1":
            host_params["host"] = "127.0.0.1"
            if url.scheme == "https":
                pool_kwargs |= {"server_hostname": host, "assert_hostname": host}
        return host_params, pool_kwargs

    def add_headers(self, request: requests.PreparedRequest, **_: Any) -> None:
        request.headers["Host"] = urlsplit(request.url or "").netloc


class _TimedReader(io.RawIOBase):
    """Reads from a socket until the call's deadline, whatever the pace (security.md N01)."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._call = _call.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._call.seconds_left()
        if left <= 0:
            raise TimeoutError("the call's time is over")
        if (timeout := self._sock.gettimeout()) is None or timeout > left:
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """What ``http.client`` asks of a socket when it reads an answer: a file."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock))


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(_TimedSocket(sock), *args, **kwargs)  # type: ignore[arg-type] # it only calls makefile


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _TimedResponse
    _used_at = 0.0

    def _new_conn(self) -> socket.socket:
        """Resolve and connect beside the caller: no resolver that hangs, and no dead addresses, outlast the call."""
        attempt: Future[socket.socket] = Future()
        connect = super()._new_conn

        def try_it() -> None:
            try:
                attempt.set_result(connect())
            except BaseException as error:
                attempt.set_exception(error)

        try:
            threading.Thread(target=try_it, name="cobot-oidc-connect", daemon=True).start()
        except RuntimeError:  # no more threads
            return connect()
        try:
            return attempt.result(timeout=max(0, _call.get().seconds_left()))
        except TimeoutError:
            attempt.add_done_callback(_close)
            raise urllib3.exceptions.ConnectTimeoutError(self, "the call's time is over") from None

    def getresponse(self) -> Any:
        self._used_at = time.monotonic()
        return super().getresponse()

    @property
    def is_connected(self) -> bool:
        """Whether the connection can be used again. Balancers forget idle ones without a word (security.md N07)."""
        return time.monotonic() - self._used_at < _call.get().longest_idle and super().is_connected


def _close(attempt: "Future[socket.socket]") -> None:
    """A connection that came too late is nobody's."""
    if attempt.exception() is None:
        attempt.result().close()


class _HTTPSConnection(_HTTPConnection, urllib3.connection.HTTPSConnection):
    """The same over TLS."""


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}

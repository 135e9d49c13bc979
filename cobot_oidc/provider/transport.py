"""requests and urllib3 within limits: a deadline, a number of bytes, one TLS context, and nothing from the environment.

``http`` decides what is asked, and what is accepted as an answer. Names below ``localhost`` are this machine (RFC 6761
section 6.3).
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from ..protocol.urls import is_loopback
from .deadline import run_beside, seconds_left

PLACEHOLDER = "~"  # stands for a secret in a path
LARGEST_HEAD = 64 * 1024  # bytes before a body: status line, header fields, and any preceding 1xx answers
LARGEST_FRAMING = 32 * 1024  # bytes in addition to a body: sizes of chunks, trailer fields


class TooManyBytes(Exception):
    """An answer has more bytes before, in or after its body than allowed."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The limits of the current call: bytes of a body, and seconds that a kept connection may have been idle."""

    largest: int
    longest_idle: float


_bounds: ContextVar[_Bounds] = ContextVar("bounds")


@contextmanager
def bounded(*, largest: int, longest_idle: float) -> Iterator[None]:
    """Limit the calls in the block: bytes of a body, and seconds after which an idle connection is not reused."""
    token = _bounds.set(_Bounds(largest, longest_idle))
    try:
        yield
    finally:
        _bounds.reset(token)


_secret: ContextVar[str | None] = ContextVar("secret", default=None)


@contextmanager
def secret_in_path(secret: str | None) -> Iterator[None]:
    """Let the paths of the block's requests contain a secret in place of ``PLACEHOLDER``, once the bytes are sent.

    Cobot wants an access token there. What requests and urllib3 see, log and raise contains only the placeholder (L01).
    """
    token = _secret.set(secret)
    try:
        yield
    finally:
        _secret.reset(token)


class Transport(HTTPAdapter):
    """requests' transport. Its connections are kept, and shared by all threads.

    :param ca_bundle: file of the authorities to trust; ``None`` for certifi's.
    """

    def __init__(self, ca_bundle: str | None) -> None:
        self._ca_bundle = ca_bundle
        super().__init__(pool_connections=32, pool_maxsize=8)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """It checks chain and host name, and is made once, as loading the authorities takes longer than a handshake."""
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


class _BoundedReader(io.RawIOBase):
    """Reads from a socket until the deadline, whatever the pace (N01), and no more bytes than allowed."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._bytes_left = LARGEST_HEAD

    def allow(self, length: int) -> None:
        """Allow so many more bytes from here on."""
        self._bytes_left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = seconds_left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        if self._bytes_left <= 0:
            raise TooManyBytes
        if (timeout := self._sock.gettimeout()) is None or timeout > left:
            self._sock.settimeout(left)
        count = self._raw.readinto(buffer)
        self._bytes_left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedSocket:
    """The part of a socket that ``http.client`` needs to read an answer: a file."""

    def __init__(self, sock: socket.socket) -> None:
        self.reader = _BoundedReader(sock)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self.reader)


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        bounded_socket = _BoundedSocket(sock)
        self._reader = bounded_socket.reader
        super().__init__(bounded_socket, *args, **kwargs)  # type: ignore[arg-type] # it only calls makefile

    def _read_status(self) -> tuple[str, int, str]:
        """Skip every 1xx answer: the base class skips 100 alone, and takes others for the answer (RFC 9110 15.2)."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc] # http.client has it
            if not 100 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def begin(self) -> None:
        super().begin()
        self._reader.allow(_bounds.get().largest + LARGEST_FRAMING)


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _BoundedResponse
    _used_at = 0.0

    def _new_conn(self) -> socket.socket:
        """Resolve and connect in another thread: neither a slow resolver nor dead addresses can delay the caller."""
        try:
            return run_beside(super()._new_conn, seconds=seconds_left(), discard=socket.socket.close)
        except TimeoutError:
            raise urllib3.exceptions.ConnectTimeoutError(self, "the deadline has passed") from None

    def putrequest(self, method: str, url: str, *args: Any, **options: Any) -> None:
        secret = _secret.get()
        super().putrequest(
            method, url if secret is None else url.replace(PLACEHOLDER, quote(secret, safe="")), *args, **options
        )

    def getresponse(self) -> Any:
        self._used_at = time.monotonic()
        return super().getresponse()

    @property
    def is_connected(self) -> bool:
        """Whether the connection can be used again. Load balancers silently drop idle connections (N07)."""
        return time.monotonic() - self._used_at < _bounds.get().longest_idle and super().is_connected


class _HTTPSConnection(_HTTPConnection, urllib3.connection.HTTPSConnection):
    """The same over TLS."""


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}

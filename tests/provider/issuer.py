"""A small honest provider on the loopback whose every answer a test can replace, hold back and count."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt

from cobot_oidc.protocol.id_token import Expected
from cobot_oidc.standin.keys import SigningKeys

DOCUMENT = "/.well-known/openid-configuration"
KEYS = "/jwks.json"
USERINFO = "/userinfo"
PUSHED = "/par"

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}


class Issuer:
    """One issuer: its keys, its tokens, and what it answers.

    :ivar answers: path to what is answered there; a function is called each time.
    :ivar asked: how often each path was asked for.
    :ivar gate: answers wait while it is closed (cleared).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.keys = SigningKeys()
        self.asked: Counter[str] = Counter()
        self.gate = threading.Event()
        self.gate.set()
        self.delay = 0.0
        self.answers: dict[str, Answer | Callable[[], Answer]] = {
            DOCUMENT: lambda: (200, JSON, json.dumps(self.document()).encode()),
            KEYS: lambda: (200, JSON, json.dumps(self.keys.document()).encode()),
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}{USERINFO}",
            "jwks_uri": f"{self.url}{KEYS}",
            "pushed_authorization_request_endpoint": f"{self.url}{PUSHED}",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def id_token(self, *, kid: str | None = None, **claims: Any) -> str:
        """An id token that holds, but for what is changed here. ``kid`` invents a name for the key."""
        now = int(self._clock())
        usual = {"iss": self.url, "aud": "client", "sub": "ada", "iat": now, "exp": now + 300, "nonce": "n"}
        header = {"alg": "RS256", "kid": kid or self.keys.kid}
        return jwt.encode(header, usual | claims, self.keys.signing_key)

    def expected(self) -> Expected:
        return Expected(self.url, "client", "n")

    def fails(self, path: str, status: int = 500) -> None:
        self.answers[path] = (status, {}, b"")

    def answer(self, path: str) -> Answer:
        with self._lock:
            self.asked[path] += 1
        self.gate.wait(60)
        if self.delay:
            time.sleep(self.delay)  # a provider that is far away
        found = self.answers.get(path, (404, {}, b""))
        return found() if callable(found) else found

    def stop(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that did not wait for an answer are what the tests are about."""


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = issuer.answer(self.path)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    return Handler


@contextmanager
def running(clock: Callable[[], float]) -> Iterator[Issuer]:
    issuer = Issuer(clock)
    try:
        yield issuer
    finally:
        issuer.stop()

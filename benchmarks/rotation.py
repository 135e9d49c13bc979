"""What verifiers ask of a provider when its keys change, and when somebody sends tokens with invented keys.

Counted, not timed: how often the key set is fetched, and how many of those who log in get in. It is 20 ms away.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import jwt
from authlib.integrations.flask_client import OAuth
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask

from benchmarks.tables import ROTATION
from cobot_oidc.protocol.id_token import Expected
from cobot_oidc.provider.providers import Providers
from cobot_oidc.settings import ProviderSettings

CLIENT_ID, NONCE = "portal", "n-0S6_WzA2MjK9pQ"
DOCUMENT, KEYS = "/.well-known/openid-configuration", "/jwks.json"
AT_ONCE, INVENTED = 64, 1000
AWAY = 0.02  # seconds

Verify = Callable[[str], object]


class Issuer:
    """A provider whose keys change, and which counts.

    :ivar fetches: of the key set.
    """

    def __init__(self) -> None:
        self.fetches = 0
        self.rotate()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 2 * AT_ONCE

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rotate(self) -> None:
        """One new key, and no other."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = f"key-{time.monotonic_ns()}"

    def token(self, kid: str | None = None) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 600, "nonce": NONCE}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": kid or self._kid})

    def answer(self, path: str) -> dict[str, Any]:
        if path == DOCUMENT:
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": self.url + KEYS,
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        self.fetches += 1
        member = jwt.get_algorithm_by_name("RS256").to_jwk(self._key.public_key(), as_dict=True)
        document = {"keys": [{**member, "kid": self._kid, "use": "sig", "alg": "RS256"}]}
        time.sleep(AWAY)
        return document


def cobot_oidc(issuer: Issuer) -> Verify:
    """We."""
    provider = Providers(ProviderSettings(), time.time, lambda *_: None).provider(issuer.url)
    return lambda token: provider.verify(token, Expected(issuer.url, CLIENT_ID, NONCE), access_token=None)


def pyjwt(issuer: Issuer) -> Verify:
    """PyJWT with its PyJWKClient, whose 30 seconds of pause after a fetch are one here."""
    keys = jwt.PyJWKClient(issuer.url + KEYS, cooldown_duration=1)
    return lambda token: jwt.decode(
        token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], audience=CLIENT_ID, issuer=issuer.url
    )


def authlib(issuer: Issuer) -> Verify:
    """Authlib's flask client."""
    app = Flask("benchmark")
    app.secret_key = "s" * 32
    client = OAuth(app).register("cobot", client_id=CLIENT_ID, server_metadata_url=issuer.url + DOCUMENT)

    def verify(token: str) -> object:
        with app.app_context():
            return client.parse_id_token({"id_token": token, "access_token": "a"}, nonce=NONCE)

    return verify


CONTESTANTS: dict[str, Callable[[Issuer], Verify]] = {
    "cobot_oidc": cobot_oidc,
    "PyJWT": pyjwt,
    "Authlib's flask client": authlib,
}


class Outcome(NamedTuple):
    """So many fetches of the key set, and so many tokens that verified."""

    fetches: int
    verified: int


def rotated(issuer: Issuer, verify: Verify, age: float) -> Outcome:
    """Everybody meets a new key at once, so many seconds after the key set was fetched."""
    verify(issuer.token())
    time.sleep(age)
    issuer.rotate()
    return _outcome(issuer, verify, [issuer.token()] * AT_ONCE, AT_ONCE)


def invented(issuer: Issuer, verify: Verify, at_once: int) -> Outcome:
    """Tokens with keys that nobody has, so many at once."""
    verify(issuer.token())
    return _outcome(issuer, verify, [issuer.token(kid=f"invented-{number}") for number in range(INVENTED)], at_once)


CASES: tuple[Callable[[Issuer, Verify], Outcome], ...] = (  # the columns of the table
    lambda issuer, verify: rotated(issuer, verify, 1.5),
    lambda issuer, verify: rotated(issuer, verify, 0),
    lambda issuer, verify: invented(issuer, verify, 1),
    lambda issuer, verify: invented(issuer, verify, AT_ONCE),
)


def _outcome(issuer: Issuer, verify: Verify, tokens: list[str], at_once: int) -> Outcome:
    before = issuer.fetches

    def holds(token: str) -> bool:
        try:
            verify(token)
        except Exception:  # each library has its own
            return False
        return True

    with ThreadPoolExecutor(at_once) as pool:
        verified = sum(pool.map(holds, tokens))
    return Outcome(issuer.fetches - before, verified)


@contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()
    try:
        yield issuer
    finally:
        issuer.stop()


def main() -> None:
    """Count, and print one table."""
    rows = []
    for name, make in CONTESTANTS.items():
        cells = []
        for case in CASES:
            with running() as issuer:
                outcome = case(issuer, make(issuer))
            cells.append(f"{outcome.fetches} ({outcome.verified})")
        rows.append([name, *cells])
    print(ROTATION.filled(rows))


if __name__ == "__main__":
    main()

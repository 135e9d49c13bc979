"""An OpenID provider on the loopback that fails and lies as it is told. A code is the nonce of the login it is for."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT_ID, CLIENT_SECRET = "portal", "s3cret-of-the-portal"
ACCESS_TOKEN = "access-token-of-ada-" + "a" * 44
NO_NONCE = "none"
DOCUMENT, KEYS, TOKEN, USERINFO = "/.well-known/openid-configuration", "/jwks.json", "/token", "/userinfo"
PERSON = {"sub": "6f9d2c1b0a8e47d3", "name": "Ada Lovelace", "email": "ada@example.org"}


@dataclass
class Faults:
    """What is wrong. Nothing is, by default.

    :ivar statuses: of the answers at these paths, such as 503.
    :ivar silent: paths that never answer. :ivar dripping: paths that send a byte every half second without end.
    :ivar metadata: members of the discovery document that are changed; claims: of the id token, left out if ``None``.
    :ivar signed: with ``key``, ``stranger`` (another key of the same name), ``none``, or ``public`` (HS256).
    :ivar token: members of the token endpoint's answer that are changed, left out if ``None``.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    dripping: frozenset[str] = frozenset()
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    signed: str = "key"
    token: dict[str, Any] = field(default_factory=dict)


def _changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (document | changes).items() if value is not None}


class Provider:
    """Runs until it is stopped. ``issuer`` is its address, ``asked`` counts the requests by path."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.asked: dict[str, int] = {}
        self._over = threading.Event()
        self._keys = 0
        self.rotate()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def rotate(self) -> None:
        """Another key takes the place of the present one."""
        self._keys += 1
        self._kid = f"key-{self._keys}"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}{TOKEN}",
            "userinfo_endpoint": f"{self.issuer}{USERINFO}",
            "jwks_uri": f"{self.issuer}{KEYS}",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _key_set(self) -> dict[str, Any]:
        member = jwt.get_algorithm_by_name("RS256").to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**member, "kid": self._kid, "use": "sig", "alg": "RS256"}]}

    def _tokens(self, code: str) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 600, **PERSON}
        if code != NO_NONCE:
            claims["nonce"] = code
        claims = _changed(claims, self.faults.claims)
        headers = {"kid": self._kid}
        match self.faults.signed:
            case "none":
                token = jwt.encode(claims, "", algorithm="none")
            case "public":
                token = _signed_with_a_public_key(claims, headers, self._key.public_key())
            case "stranger":
                token = jwt.encode(claims, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers=headers)
            case _:
                token = jwt.encode(claims, self._key, algorithm="RS256", headers=headers)
        answer = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 600, "id_token": token}
        return _changed(answer, self.faults.token)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                documents: dict[str, Callable[[], object]] = {
                    DOCUMENT: lambda: _changed(provider._metadata(), provider.faults.metadata),
                    KEYS: provider._key_set,
                    USERINFO: lambda: PERSON,
                }
                self._answer(documents[self.path]())

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._answer(provider._tokens(form["code"][0]))

            def _answer(self, document: object) -> None:
                provider.asked[self.path] = provider.asked.get(self.path, 0) + 1
                faults = provider.faults
                if self.path in faults.silent:
                    provider._over.wait(120)
                    return
                body = json.dumps(document).encode()
                self.send_response(faults.statuses.get(self.path, 200))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.path in faults.dripping:
                    for number in range(len(body)):
                        self.wfile.write(body[number : number + 1])
                        self.wfile.flush()
                        provider._over.wait(0.5)
                    return
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        return Handler


def _signed_with_a_public_key(claims: dict[str, Any], headers: dict[str, Any], key: rsa.RSAPublicKey) -> str:
    """HS256, its secret the PEM of the public key, which everybody knows. Libraries refuse to make such a token."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", **headers}, claims)]
    signature = hmac.digest(pem, ".".join(parts).encode(), "sha256")
    return ".".join([*parts, _base64url(signature)])


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up as they like."""

"""A small OpenID provider over TLS in a process of its own, as far away as one likes; it counts what it is asked.

A code is the nonce of the login that it stands for, so that no authorization page is needed.
"""

import asyncio
import json
import multiprocessing
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import jwt
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "portal", "s3cret-of-the-portal"
DOCUMENT, KEYS, TOKEN = "/.well-known/openid-configuration", "/jwks.json", "/oauth/access_token"


class Asked(NamedTuple):
    """What the provider saw."""

    requests: int
    connections: int


class FarProvider(NamedTuple):
    """As the client sees it. ``ca_bundle`` is the file of the authority that vouches for it."""

    issuer: str
    ca_bundle: str
    asked: Callable[[], Asked]


@contextmanager
def far_provider(round_trip: float) -> Iterator[FarProvider]:
    """Run one whose answers come after so many seconds at least."""
    context = multiprocessing.get_context("fork")
    asked = context.Array("l", 2)
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        bundle = str(Path(folder) / "authority.pem")
        authority.cert_pem.write_to_path(bundle)
        own_end, far_end = context.Pipe()
        server = context.Process(target=_serve, args=(authority, asked, far_end), daemon=True)
        server.start()
        relay_end, far_end = context.Pipe()
        relay = context.Process(target=_relay, args=(own_end.recv(), round_trip / 2, far_end), daemon=True)
        relay.start()
        issuer = f"https://localhost:{relay_end.recv()}"
        own_end.send(issuer)
        try:
            yield FarProvider(issuer, bundle, lambda: Asked(asked[0], asked[1]))
        finally:
            server.terminate()
            relay.terminate()


def _serve(authority: trustme.CA, asked: Any, owner: Connection) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    member = jwt.get_algorithm_by_name("RS256").to_jwk(key.public_key(), as_dict=True)
    issuer = ""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet
        disable_nagle_algorithm = True

        def setup(self) -> None:
            asked[1] += 1
            super().setup()

        def do_GET(self) -> None:
            documents: dict[str, Any] = {
                DOCUMENT: {
                    "issuer": issuer,
                    "authorization_endpoint": f"{issuer}/oauth/authorize",
                    "token_endpoint": f"{issuer}{TOKEN}",
                    "jwks_uri": f"{issuer}{KEYS}",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "code_challenge_methods_supported": ["S256"],
                },
                KEYS: {"keys": [{**member, "kid": "key-1", "use": "sig", "alg": "RS256"}]},
            }
            self._say(documents[self.path])

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            now = int(time.time())
            claims = {"iss": issuer, "aud": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 600}
            claims |= {"nonce": form["code"][0], "name": "Ada Lovelace", "email": "ada@example.org"}
            token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "key-1"})
            self._say({"access_token": "a" * 64, "token_type": "bearer", "expires_in": 600, "id_token": token})

        def _say(self, value: Any) -> None:
            asked[0] += 1
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients hang up as they like."""

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    with closing(owner), Server(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        owner.send(server.server_port)
        issuer = owner.recv()
        server.serve_forever()


def _relay(port: int, delay: float, owner: Connection) -> None:
    """Pass bytes on, each after so many seconds."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(65536):
            loop.call_later(delay, writer.write, data)
        loop.call_later(delay, writer.close)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * delay)  # the connection's own round trip
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)

    async def run() -> None:
        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        owner.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())

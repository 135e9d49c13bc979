"""WSGI apps on real ports, for tests with a real browser."""

import random
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, cast

from werkzeug.serving import WSGIRequestHandler, make_server


def free_port() -> int:
    """A port of the loopback on which nobody listens; none of those that the system gives to who asks for any."""
    while True:
        port = random.randrange(10_000, 30_000)  # noqa: S311 - no secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@dataclass
class Listener:
    """A port on the loopback, and the app that answers there: it may be made once the port is known."""

    port: int = 0
    app: Any = None

    def __call__(self, environ: Any, start: Any) -> list[bytes]:
        """The whole answer: Werkzeug's server leaves a file open if a window is closed while it is sent."""
        body: Iterable[bytes] = self.app(environ, start)
        with closing(cast(Any, body)) if hasattr(body, "close") else nullcontext(body) as chunks:
            return list(chunks)


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A port that is listened on; set ``app`` before anybody asks it.

    :param tls: what the server needs to speak https.
    """
    listener = Listener()
    server = make_server("127.0.0.1", 0, listener, threaded=True, request_handler=_Quiet, ssl_context=tls)
    listener.port = server.server_port
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        del type, message, args

"""A WSGI app on a port of the loopback, in a thread of this process."""

import socket
import threading
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server

_HOST = "127.0.0.1"


class LoopbackServer:
    """Listens and answers from the beginning, until ``stop``; each request in a thread of its own.

    :param port: 0 for any free one.
    :raises OSError: if the port is taken.
    """

    def __init__(self, app: WSGIApplication, port: int) -> None:
        with socket.create_server((_HOST, port)) as listener:
            self.port: int = listener.getsockname()[1]
            self._server = make_server(
                _HOST, self.port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
            )
        self._server.daemon_threads = True  # type: ignore[attr-defined] # the threaded server has it
        self._thread = threading.Thread(target=self._server.serve_forever, name="stand-in", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _QuietHandler(WSGIRequestHandler):
    """Logs nothing, because URLs contain codes and tokens."""

    def log(self, type: str, message: str, *args: Any) -> None:
        del type, message, args

    def version_string(self) -> str:
        return "stand-in"

    protocol_version = "HTTP/1.1"

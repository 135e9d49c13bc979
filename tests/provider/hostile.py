"""A server on the loopback that does what no honest one does: bytes as a script says, slowly, broken off, or never."""

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[["Visit"], None]


class Visit:
    """One connection, as a script meets it."""

    def __init__(self, connection: socket.socket, over: threading.Event, requests: list[bytes]) -> None:
        self.connection = connection
        self._over = over
        self._requests = requests

    def read_request(self) -> bool:
        """Wait for a whole request; false where the other side has gone."""
        request = b""
        while not _is_whole(request):  # what is left unread would make the end of the connection a reset
            if not (more := self.connection.recv(65536)):
                return False
            request += more
        self._requests.append(request)
        return True

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def wait(self, seconds: float | None = None) -> None:
        """Do nothing for a while, by default for as long as the test lasts."""
        self._over.wait(seconds)

    def drip(self, data: bytes, *, every: float) -> None:
        """One byte, and one more after some seconds, without end."""
        while not self._over.is_set():
            self.send(data)
            self.wait(every)

    def reset(self) -> None:
        """Hang up as a machine does that knows of no connection (RST)."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: ([0-9]+)", head, re.IGNORECASE)
    return bool(end) and len(body) >= int(length[1] if length else 0)


class Server:
    """What a test sees of the server. Each connection gets the next script; the last one serves all that follow."""

    def __init__(self, scripts: tuple[Script, ...], tls: ssl.SSLContext | None) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._scripts = scripts
        self._tls = tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/"

    def stop(self) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(60)
        with connection:
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                with connection:
                    script(Visit(connection, self._over, self.requests))
            except OSError:
                return  # the client has gone, which is what it should do


@contextmanager
def hostile_server(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that plays these scripts."""
    server = Server(scripts, tls)
    try:
        yield server
    finally:
        server.stop()


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    """An answer's bytes. ``headers`` are lines, each with CRLF. ``length`` is what it claims."""
    claimed = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {claimed}\r\n{headers}\r\n"
    return head.encode("ascii") + body


def says(*answers: bytes) -> Script:
    """Answer each request with the next of these, the last one for all that follow, and keep the connection."""

    def script(visit: Visit) -> None:
        served = 0
        while visit.read_request():
            visit.send(answers[min(served, len(answers) - 1)])
            served += 1

    return script


def floods(before: bytes, drop: bytes) -> Script:
    """Answer a request with a beginning, and then with the same bytes for as long as somebody reads them."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(before)
        while True:
            visit.send(drop * 1000)

    return script


def says_once(data: bytes) -> Script:
    """Answer one request, and hang up."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(data)

    return script


def hangs(visit: Visit) -> None:
    """Take the request, and never answer."""
    visit.read_request()
    visit.wait()


def resets(visit: Visit) -> None:
    """Take the request, and reset the connection."""
    visit.read_request()
    visit.reset()

"""A real Redis that a test can stop, hang and start again at the same address."""

import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from redis import Redis

from .patience import eventually
from .serving import free_port


class RedisServer:
    """One server on the loopback that keeps nothing on disk.

    :ivar url: its address, the same after each start.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._port = free_port()
        self._command = [program, "--bind", "127.0.0.1", "--port", str(self._port), "--save", "", "--dir", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def values(self) -> dict[str, str]:
        """All texts that are kept."""
        client = self._client()
        return {str(key): str(client.get(key)) for key in client.scan_iter(_type="string")}

    def keys(self) -> list[str]:
        """The names of all that is kept, of whatever type."""
        return [str(key) for key in self._client().scan_iter()]

    def lifetime(self, key: str) -> int:
        """Seconds until a value goes; -1 where it stays for ever."""
        return int(self._client().ttl(key))

    def put(self, key: str, value: str, *, seconds: int | None = None) -> None:
        """Write as whoever else can reach it, for so many seconds or for ever."""
        self._client().set(key, value, ex=seconds)

    def put_list(self, key: str) -> None:
        """The same with a value of another type."""
        client = self._client()
        client.delete(key)
        client.rpush(key, "x")

    def notes(self) -> dict[str, dict[str, float]]:
        """All sorted sets that are kept, with their members and scores."""
        client = self._client()
        keys = [str(key) for key in client.scan_iter(_type="zset")]
        return {key: dict(cast("Any", client.zrange(key, 0, -1, withscores=True))) for key in keys}

    def put_notes(self, notes: dict[str, dict[str, float]]) -> None:
        """Add members to sorted sets, as whoever else can reach it."""
        for key, members in notes.items():
            self._client().zadd(key, members)

    def empty(self) -> None:
        self._client().flushall()

    def _is_reached(self) -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self._port)) == 0

    def _client(self) -> Redis:
        return Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        """Run, if it does not yet, and answer."""
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        process = self._process
        eventually(lambda: self._is_reached() or process.poll() is not None, "Redis")
        assert process.poll() is None, "Redis did not start"

    def stop(self) -> None:
        """End at once, with all that was kept."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Accept connections and answer nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

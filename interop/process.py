"""A provider as a process of its own: started, waited for until its document answers, stopped with all it started."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.serving import free_port

from .provider import Provider
from .world import World, new_keys

LONGEST_START = 90  # seconds
LONGEST_STOP = 10
DOCUMENT = "/.well-known/openid-configuration"


class NotReadyError(Exception):
    """The provider does not answer yet."""


class RunningProvider:
    """A provider that runs, and what it was told."""

    def __init__(self, provider: Provider, environment: Path, portal: str, folder: Path) -> None:
        port = free_port()
        self.provider = provider
        self.world = World(portal, f"http://127.0.0.1:{port}{provider.issuer_path}", port, folder)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log.txt"

    @property
    def document(self) -> dict[str, Any]:
        """Its discovery document."""
        answer = requests.get(self.world.issuer + DOCUMENT, timeout=30)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def start(self) -> None:
        """Run it, and wait until it answers.

        :raises NotReadyError: with the end of its log, if it does not.
        """
        self.world.write()
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.provider.command(self.world, self._environment),
                cwd=self.world.folder,
                env=kept,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        for attempt in Retrying(
            retry=retry_if_exception_type((NotReadyError, requests.RequestException)),
            wait=wait_fixed(0.1),
            stop=stop_after_delay(LONGEST_START),
            reraise=True,
        ):
            with attempt:
                self._look()

    def _look(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.provider.name} ended: {self.last_words()}")
        if requests.get(self.world.issuer + DOCUMENT, timeout=5).status_code != 200:
            raise NotReadyError(f"{self.provider.name} has no document yet: {self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-1000:]

    def stop(self) -> None:
        """End it, and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        for urgency in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, urgency)
                process.wait(LONGEST_STOP)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        process.wait()

    def rotate_keys(self) -> None:
        """Replace every key by a new one, and keep no old one. The provider restarts for that, the app does not."""
        self.world.keys = new_keys()
        self.forget()

    def forget(self) -> None:
        """Restart it, so that it knows nobody, and has no consent of anybody."""
        self.stop()
        self.start()


@contextmanager
def running(provider: Provider, environment: Path, portal: str, folder: Path) -> Iterator[RunningProvider]:
    """The provider, from its start to its end."""
    one = RunningProvider(provider, environment, portal, folder)
    try:
        one.start()
        yield one
    finally:
        one.stop()

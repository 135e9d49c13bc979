"""Portals under gunicorn, several workers on several hosts, and people in front of them. Knows no pytest."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from cobot_oidc.standin import StandIn

from ..patience import eventually
from ..serving import free_port

CLIENT_ID, CLIENT_SECRET, SECRET_KEY = "fleet", "s3cret-of-the-fleet", "f" * 32


class Fleet:
    """So many gunicorns ("hosts") of so many workers, which browsers see as one address.

    :param folder: for logs, and for the file that tells the workers the time.
    :param now: the time to tell; ``None`` for the machine's own.
    :param settings: of the app, without ``COBOT_OIDC_``.
    """

    def __init__(
        self,
        cobot: StandIn,
        folder: Path,
        *,
        now: float | None = None,
        hosts: int = 1,
        workers: int = 4,
        threads: int = 8,
        preload: bool = False,
        **settings: Any,
    ) -> None:
        self.ports = [free_port() for _ in range(hosts)]
        self.address = f"localhost:{self.ports[0]}"
        self._folder = folder
        self._preload = preload
        self._workers = workers
        self._threads = threads
        self._hosts: list[subprocess.Popen[bytes]] = []
        self._clock_file = folder / "clock"
        cobot.register_client(
            CLIENT_ID, secret=CLIENT_SECRET, redirect_uri=f"http://{self.address}/cobot/callback", name="Fleet"
        )
        usual = {
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "ISSUER": cobot.issuer,
            "SPACE_ISSUER": cobot.space_issuer_template,
            "SPACES": [*cobot.spaces],
        }
        self._environment = {"FLASK_SECRET_KEY": SECRET_KEY}
        self._environment |= {f"FLASK_COBOT_OIDC_{key}": json.dumps(value) for key, value in (usual | settings).items()}
        if now is not None:
            self._environment["PORTAL_CLOCK"] = str(self._clock_file)
            self.tell_time(now)

    def tell_time(self, now: float) -> None:
        """What the workers' clocks show from now on: seconds since the epoch."""
        later = self._clock_file.with_suffix(".new")
        later.write_text(repr(now))
        later.rename(self._clock_file)  # nobody reads half a time

    def __enter__(self) -> Self:
        environment = {**os.environ, **self._environment}
        for port in self.ports:
            command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", str(self._threads)]
            command += ["--workers", str(self._workers), "--timeout", "60", "--log-level", "debug"]
            command += ["--preload"] * self._preload + ["tests.workers.portal:create_app()"]
            with self._log_of(port).open("wb") as log:
                host = subprocess.Popen(command, stderr=log, stdout=log, env=environment)  # noqa: S603 - our own
            self._hosts.append(host)
        try:
            for port in self.ports:
                self._wait_for(port)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def kill_a_worker(self) -> None:
        """End one worker of the first host as the system would that runs out of memory; gunicorn starts another."""
        [worker, *_] = re.findall(r"Booting worker with pid: ([0-9]+)", self._log_of(self.ports[0]).read_text())
        os.kill(int(worker), signal.SIGKILL)
        eventually(lambda: not _runs(int(worker)), "the worker's end")  # until then, it may take a request along

    @property
    def log(self) -> str:
        """What all workers have logged."""
        return "".join(self._log_of(port).read_text(errors="replace") for port in self.ports)

    def _log_of(self, port: int) -> Path:
        return self._folder / f"gunicorn-{port}.log"

    def _wait_for(self, port: int) -> None:
        """Until all workers have begun."""
        deadline = time.monotonic() + 60
        while self._log_of(port).read_text().count("Booting worker") < self._workers or not _answers(port):
            if time.monotonic() > deadline:
                raise RuntimeError(self.log)
            time.sleep(0.02)

    def _stop(self) -> None:
        for host in self._hosts:
            host.terminate()
        for host in self._hosts:
            host.wait()


class Member:
    """Somebody with a browser. Each request goes to the fleet's next host, as a balancer would send it.

    :ivar slowest: seconds, of the fleet's answers so far.
    """

    def __init__(self, fleet: Fleet, cobot: StandIn, person: str = "ada") -> None:
        self.slowest = 0.0
        self._address = fleet.address
        self._ports: Iterator[int] = itertools.cycle(fleet.ports)
        self._cookies: dict[str, str] = {}
        self._cobot = cobot.browser()
        self._person = person
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str) -> requests.Response:
        """One page, redirects not followed."""
        began = time.monotonic()
        answer = self._http.get(
            f"http://127.0.0.1:{next(self._ports)}{path}",
            headers={
                "Host": self._address,
                "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
                "Connection": "close",  # so that workers take turns
            },
            allow_redirects=False,
            timeout=60,
        )
        self.slowest = max(self.slowest, time.monotonic() - began)
        for header in answer.raw.headers.getlist("Set-Cookie"):
            for cookie in SimpleCookie(header).values():
                self._cookies.pop(cookie.key, None)
                if cookie.value:  # ours are deleted by an empty one
                    self._cookies[cookie.key] = cookie.value
        return answer

    def begin(self, space: str) -> requests.Response:
        """Ask for a login: a redirect to the provider, or the page about why not."""
        return self.get(f"/cobot/login?space={space}&next=/{space}/desk")

    def signed_in(self, begun: requests.Response) -> str:
        """Sign in where the login leads to: the path of the callback, with the answer."""
        callback = urlsplit(self._cobot.sign_in(begun.headers["Location"], self._person))
        return f"{callback.path}?{callback.query}"

    def log_in(self, space: str) -> requests.Response:
        """The whole way: the callback's answer, or the page about why it could not begin."""
        begun = self.begin(space)
        return self.get(self.signed_in(begun)) if begun.status_code == 302 else begun

    def sees(self, space: str) -> bool:
        """Whether the space's page knows them."""
        answer = self.get(f"/{space}/desk")
        return answer.status_code == 200 and f"at {space}" in answer.text


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0

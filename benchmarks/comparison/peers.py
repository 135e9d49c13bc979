"""Whom we are compared with: how each app is started, and what it is told."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import files, version
from pathlib import Path

from .provider import CLIENT_ID, CLIENT_SECRET, DOCUMENT

FOLDER = Path(__file__).parent
APPS = FOLDER / "apps"
NODE_MODULES = Path("build") / "benchmarks" / "node_modules"
DOES_NOT_START = "does not start"
LONGEST_START = 60.0  # seconds
KEY = "k" * 40


@dataclass(frozen=True)
class Peer:
    """One library.

    :ivar file: its app. :ivar environment: what the app is told, from the issuer and its own URL.
    """

    name: str
    distribution: str
    file: str
    environment: Callable[[str, str], Mapping[str, str]]

    @property
    def path(self) -> Path:
        return APPS / self.file

    @property
    def is_node(self) -> bool:
        return self.path.suffix == ".js"

    @property
    def is_installed(self) -> bool:
        return not self.is_node or (shutil.which("node") is not None and NODE_MODULES.exists())

    @property
    def version(self) -> str:
        if not self.is_node:
            return version(self.distribution)
        package = NODE_MODULES / self.distribution / "package.json"
        return str(json.loads(package.read_text(encoding="utf-8"))["version"])

    @property
    def has_types(self) -> bool:
        """Whether type checkers read types from what is installed."""
        if not self.is_node:
            return any(file.name == "py.typed" for file in files(self.distribution) or ())
        return "types" in json.loads((NODE_MODULES / self.distribution / "package.json").read_text(encoding="utf-8"))

    @property
    def lines(self) -> int:
        """Of the app, without blank ones and comments."""
        text = self.path.read_text(encoding="utf-8").splitlines()
        return sum(bool(line.strip()) and not line.strip().startswith(("#", "//")) for line in text)

    @contextmanager
    def running(self, issuer: str) -> Iterator[str]:
        """Start the app: its URL.

        :raises ChildProcessError: if it ends before it answers.
        """
        port = _free_port()
        url = f"http://localhost:{port}"
        command = ["node", str(self.path.absolute())]
        if not self.is_node:
            command = [sys.executable, "-W", "ignore", "-m", "flask", "--app", str(self.path), "run", f"--port={port}"]
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command,
            env=_inherited() | {"PORT": str(port), **self.environment(issuer, url)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_listens(process, port)
            yield url
        finally:
            process.kill()
            process.wait()


def _inherited() -> dict[str, str]:
    more = {"NODE_ENV": "production", "NODE_PATH": str(NODE_MODULES.absolute()), "PYTHONPATH": ""}
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | more


def _free_port() -> int:
    """Below those that connections take for themselves, one of which could take it before the app does."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + LONGEST_START
    while time.monotonic() < until:
        if process.poll() is not None:
            raise ChildProcessError(DOES_NOT_START)
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise ChildProcessError(f"has not started after {LONGEST_START:.0f} s")


def _flask(**settings: object) -> dict[str, str]:
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
    return {"FLASK_SECRET_KEY": KEY, **{f"FLASK_{name}": value for name, value in texts.items()}}


US = Peer(
    "cobot_oidc",
    "cobot-oidc",
    "cobot_oidc_app.py",
    lambda issuer, url: _flask(
        COBOT_OIDC_CLIENT_ID=CLIENT_ID,
        COBOT_OIDC_CLIENT_SECRET=CLIENT_SECRET,
        COBOT_OIDC_ISSUER=issuer,
        COBOT_OIDC_REDIRECT_URI=f"{url}/cobot/callback",
    ),
)
PEERS = (
    US,
    Peer(
        "Authlib's Flask client",
        "authlib",
        "authlib_app.py",
        lambda issuer, _url: _flask(
            PROVIDER_CLIENT_ID=CLIENT_ID,
            PROVIDER_CLIENT_SECRET=CLIENT_SECRET,
            PROVIDER_SERVER_METADATA_URL=issuer + DOCUMENT,
        ),
    ),
    Peer(
        "flask-oidc",
        "flask-oidc",
        "flask_oidc_app.py",
        lambda issuer, _url: _flask(
            OIDC_CLIENT_SECRETS={"web": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "issuer": issuer}},
            OIDC_SCOPES="openid email profile",
        ),
    ),
    Peer(
        "Flask-pyoidc",
        "flask-pyoidc",
        "flask_pyoidc_app.py",
        lambda issuer, url: _flask(
            ISSUER=issuer,
            CLIENT_ID=CLIENT_ID,
            CLIENT_SECRET=CLIENT_SECRET,
            OIDC_REDIRECT_URI=f"{url}/callback",
        ),
    ),
    Peer(
        "express-openid-connect",
        "express-openid-connect",
        "express_openid_connect_app.js",
        lambda issuer, url: {
            "ISSUER_BASE_URL": issuer,
            "BASE_URL": url,
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "SECRET": KEY,
        },
    ),
)

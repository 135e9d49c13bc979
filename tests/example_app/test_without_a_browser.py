"""What the example app promises in its headers, and the two programs that run it."""

import os
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from cobot_oidc.standin import StandIn
from example_app import create_app


@pytest.fixture
def browser(settings: dict[str, Any]) -> Any:
    return create_app(settings).test_client()


@pytest.mark.parametrize("path", ["/", "/nothing/here", "/atlantis/", "/cobot/callback"])
def test_pages_load_nothing_from_elsewhere(browser: Any, path: str) -> None:
    response = browser.get(path)

    assert "default-src 'none'" in response.headers["Content-Security-Policy"] or path == "/cobot/callback"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "<script" not in response.text
    assert "https://" not in response.text


def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def test_the_demo_says_where_to_go_and_stops() -> None:
    port = free_port()
    with run("example_app", PORT=port, STANDIN_PORT="0") as demo:
        assert demo.stdout is not None
        assert f"http://localhost:{port}/" in demo.stdout.readline()
        while "Ctrl-C" not in demo.stdout.readline():
            pass
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=10)
    assert demo.returncode == 0
    assert "Traceback" not in rest


@pytest.mark.parametrize("variable", ["PORT", "STANDIN_PORT"])
def test_the_demo_says_which_port_is_taken(cobot: StandIn, variable: str) -> None:
    ports = {"PORT": free_port(), "STANDIN_PORT": "0"} | {variable: str(cobot.port)}
    with run("example_app", **ports) as demo:
        said, _ = demo.communicate(timeout=10)
    assert demo.returncode == 1
    assert said.startswith(f"Port {cobot.port} is taken. Choose another: make demo {variable}=")

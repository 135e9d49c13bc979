"""What ``python -m cobot_oidc.standin`` prints is all that an app needs to log people in against it."""

import io
import os
import re
import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urljoin

import pytest
from dotenv import dotenv_values
from flask import Flask

from cobot_oidc import CobotOIDC, current_user, from_view_arg, login_required
from cobot_oidc.standin.browser import Browser

from .. import programs
from ..samples import REPOSITORY

CLIENT = ["--client-id", "12345", "--client-secret", "a secret"]  # what JSON and shells read in their own ways
Reader = Callable[[str], dict[str, str]]


def running(*options: str) -> AbstractContextManager[str]:
    """What it prints, while it runs."""
    command = [sys.executable, "-m", "cobot_oidc.standin", "--port", "0", *options]
    return programs.running(command, "Ctrl-C", folder=REPOSITORY, environment=os.environ)


def lines_to_paste(said: str) -> str:
    return "".join(line + "\n" for line in said.splitlines() if re.match(r"FLASK_\w+=", line))


def as_dotenv_reads(lines: str) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(lines)).items()}


def as_a_shell_reads(lines: str) -> dict[str, str]:
    words = [word for line in lines.splitlines() for word in shlex.split(line)]
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def portal() -> Flask:
    app = Flask("portal")
    app.config.from_prefixed_env()
    CobotOIDC(app, space=from_view_arg("space"))

    def greeting(space: str = "Cobot") -> str:
        return f"{current_user.name} at {space}"

    app.add_url_rule("/", "home", login_required(greeting))
    app.add_url_rule("/<space>/desk", "desk", login_required(greeting))
    return app


def page_after_login(app: Flask, path: str, person: str) -> str:
    browser = app.test_client()
    url = urljoin("http://localhost:5000", path)
    while "cobot.localhost" not in url:
        response = browser.get(url, headers={"Accept": "text/html"})
        assert response.status_code == 302, response.text
        url = urljoin(url, response.location)
    answer = Browser().sign_in(url, person)
    return browser.get(answer, follow_redirects=True, headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("read", [as_dotenv_reads, as_a_shell_reads])
@pytest.mark.parametrize("options", [[], CLIENT, ["--client-secret", ""]], ids=["default", "own client", "public"])
def test_the_lines_that_it_prints_make_an_app_that_logs_in_against_it(
    read: Reader, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(*options) as said:
        for name, value in read(lines_to_paste(said)).items():
            monkeypatch.setenv(name, value)
        app = portal()

        assert page_after_login(app, "/", "ada") == "Ada Lovelace at Cobot"
        assert page_after_login(app, "/co-up/desk", "haruki") == "村上 春樹 at co-up"


def test_it_names_the_page_to_open_and_the_one_that_makes_it_misbehave() -> None:
    with running("--redirect-uri", "http://localhost:5100/cobot/callback") as said:
        assert "open http://localhost:5100/\n" in said
        assert re.search(r"misbehave, open http://www\.cobot\.localhost:\d+/stand-in\n", said)


def test_it_says_who_reads_the_file_that_it_prints_for() -> None:
    with running() as said:
        assert "a file .env beside your app, where `flask run` reads them" in said


def test_it_serves_the_spaces_that_it_prints() -> None:
    with running() as said:
        assert as_dotenv_reads(lines_to_paste(said))["FLASK_COBOT_OIDC_SPACES"] == "co-up betahaus nebenan"

"""Somebody with a browser, who logs in at the stand-in Cobot as people do: through its pages, over real HTTP."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Cookie, TestResponse

from ..standin import StandIn
from .logins import testing_installation

LARGEST_COOKIE, MOST_COOKIES = 4096, 50  # bytes of name and value; for one host


class BrowserClient(FlaskClient):
    """A test client that keeps to browsers' limits: it fails at cookies that a browser would drop without a word."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        response = super().open(*args, **options)
        for header in response.headers.getlist("Set-Cookie"):
            if len(header.partition(";")[0]) > LARGEST_COOKIE:
                raise AssertionError(f"browsers drop cookies beyond {LARGEST_COOKIE} bytes: {header[:60]}")
        if len(self._cookies or ()) > MOST_COOKIES:
            raise AssertionError(f"browsers keep {MOST_COOKIES} cookies for a host")
        return response


class Visitor:
    """Somebody in front of an app.

    :param app: the app; ``app.testing`` has to be set.
    :param cobot: the stand-in that the app logs in at. The app's redirect URI has to be registered there.
    :raises ConfigurationError: ``testing_only``.

    .. code-block:: python

        def test_a_login(app, cobot):
            ada = Visitor(app, cobot)
            assert "Ada" in ada.log_in("/desk", "ada").text
    """

    def __init__(self, app: Flask, cobot: StandIn) -> None:
        testing_installation(app)
        self.browser: FlaskClient = BrowserClient(app, app.response_class, use_cookies=True)
        self._cobot = cobot
        self._at_cobot = cobot.browser()

    @property
    def cookies(self) -> list[Cookie]:
        """What the browser keeps, the oldest first."""
        return list((self.browser._cookies or {}).values())

    def get(self, path: str, **options: Any) -> TestResponse:
        """A page, as the browser gets it."""
        return self.browser.get(path, **options)

    def begin(self, path: str, **options: Any) -> str:
        """Follow a page, or a login's own URL, to the provider: the authorization URL."""
        response = self.browser.get(path, **options)
        while response.status_code == 302 and response.location.startswith("/"):
            response = self.browser.get(response.location, **options)
        if response.status_code != 302:
            raise AssertionError(f"{path} leads to no login: {response.status}\n{response.text}")
        return response.location

    def answer(self, authorization_url: str, person: str = "ada", *, cancel: bool = False) -> str:
        """What the provider answers once the person has logged in there, or cancelled: the callback's URL.

        :param person: one of ``cobot.people``.
        """
        if person not in self._cobot.people:
            raise AssertionError(f"no person {person!r} at the stand-in: {', '.join(self._cobot.people)}")
        return self._at_cobot.sign_in(authorization_url, person, cancel=cancel)

    def log_in(self, path: str, person: str = "ada") -> TestResponse:
        """Ask for a page, log in, and arrive: the page."""
        response = self.browser.get(self.answer(self.begin(path), person))
        if response.status_code != 303:
            raise AssertionError(f"the login failed: {response.status}\n{response.text}")
        return self.browser.get(response.location)

    def log_out(self, space: str | None = None) -> TestResponse:
        """Post the logout's form: of one space, or of everything."""
        installed = testing_installation(self.browser.application)
        query = {"space": space} if space else {}
        headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        return self.browser.post(f"{installed.settings.url_prefix}/logout", query_string=query, headers=headers)

"""A session on the server needs a new id at a login; and behind https its cookie never leaves by http."""

from typing import Any, cast

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin
from werkzeug.wrappers import Request

from cobot_oidc import CobotOIDC, ConfigurationError
from cobot_oidc.standin import StandIn

from .conftest import MakePortal, Visitor


class OldSession(dict[str, Any], SessionMixin):
    """What a store on the server holds."""


class OldStore(SessionInterface):
    """A session on the server whose id is never changed, as in Flask-Session before 0.7."""

    def __init__(self) -> None:
        self.sessions: dict[str, OldSession] = {}

    def open_session(self, app: Flask, request: Any) -> OldSession:
        return self.sessions.setdefault(request.cookies.get(self.get_cookie_name(app), "planted"), OldSession())

    def save_session(self, app: Flask, session: SessionMixin, response: Any) -> None:
        self.sessions["planted"] = cast(OldSession, session)
        response.set_cookie(self.get_cookie_name(app), "planted")


class NewStore(OldStore):
    """The same, and it can change an id."""

    def regenerate(self, session: SessionMixin) -> None: ...


class OurCookie(SecureCookieSessionInterface):
    """Flask's own, with a change of the app's."""


def new_app() -> Flask:
    app = Flask("portal")
    app.config.update(SECRET_KEY="k" * 32, COBOT_OIDC_CLIENT_ID="portal")
    return app


@pytest.mark.covers("S01")
def test_a_store_that_keeps_the_id_is_refused_at_the_start() -> None:
    app = new_app()
    app.session_interface = OldStore()

    with pytest.raises(ConfigurationError) as caught:
        CobotOIDC(app)

    assert caught.value.code == "session_store_unsafe"
    assert "OldStore" in str(caught.value)
    assert "flask-session>=0.7" in str(caught.value)


@pytest.mark.covers("S01")
def test_a_store_that_keeps_the_id_and_comes_later_lets_nobody_log_in(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    portal = make_portal()
    visitor = Visitor(portal, cobot)
    answer = visitor.answer(visitor.begin("/desk"))
    portal.session_interface = OldStore()

    for path in ("/cobot/login", answer):
        caplog.clear()
        assert visitor.get(path).status_code == 500
        assert "session_store_unsafe" in caplog.text
        assert "flask-session>=0.7" in caplog.text
    assert cobot.asked("/oauth/access_token") == 0


@pytest.mark.parametrize("store", [NewStore(), OurCookie()])
def test_other_stores_are_taken(store: SessionInterface) -> None:
    app = new_app()
    app.session_interface = store

    CobotOIDC(app)


@pytest.mark.parametrize(
    ("uri", "is_secure"),
    [("https://portal.example/cobot/callback", True), ("http://localhost/cobot/callback", False), (None, False)],
)
def test_behind_https_the_session_cookie_is_secure(uri: str | None, is_secure: bool) -> None:
    app = new_app()
    app.config.update(COBOT_OIDC_REDIRECT_URI=uri)

    CobotOIDC(app)

    assert app.config["SESSION_COOKIE_SECURE"] is is_secure


def test_a_name_that_only_looks_like_a_host_cookies_is_another_name() -> None:  # Werkzeug before 3.1.9 strips it
    assert "__Host-x" not in Request({"HTTP_COOKIE": "\xa0__Host-x=of-a-sibling"}).cookies

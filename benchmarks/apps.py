"""One small app for each way to know who is logged in, each with its page and with a session of somebody who is.

Everybody imports only what is theirs, so that ``python -m benchmarks.apps NAME`` is a fair start to the first answer.
"""

import secrets
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask, redirect, session

ISSUER, SUBJECT = "https://www.cobot.me", "6f9d2c1b0a8e47d3b5c4e1f2a3d4c5b6"
CLAIMS = {"iss": ISSUER, "sub": SUBJECT, "name": "Ada Lovelace", "email": "ada@example.org"}
NOW = int(time.time())
ID_TOKEN, ACCESS_TOKEN = secrets.token_urlsafe(680)[:911], secrets.token_hex(32)  # not to be compressed
CLIENT = {"client_id": "portal", "client_secret": "s3cret", "issuer": ISSUER}


class Contestant(NamedTuple):
    """An app, what the session of a logged-in user holds there, and the status of its page for a logged-out one."""

    app: Flask
    session: dict[str, Any]
    logged_out: int


def new_app(**config: Any) -> Flask:
    app = Flask("portal")
    app.config.update(SECRET_KEY="k" * 32, **config)
    return app


def plain() -> Contestant:
    """Flask, and a page that reads its session."""
    app = new_app()
    app.add_url_rule("/", "page", lambda: f"Hello {session.get('name')}")
    return Contestant(app, {"user": CLAIMS, "name": CLAIMS["name"]}, 200)


def by_hand() -> Contestant:
    """A check of ``session["user"]``, as one writes it by hand after Authlib's login."""
    app = new_app()

    @app.get("/")
    def page() -> Any:
        if "user" not in session:
            return redirect("/login")
        return f"Hello {session['user']['name']}"

    return Contestant(app, {"user": CLAIMS}, 302)


def flask_login() -> Contestant:
    """Flask-Login, with users in memory."""
    from flask_login import LoginManager, UserMixin, current_user, login_required

    class Member(UserMixin):  # type: ignore[misc] # it has no types
        id, name = SUBJECT, CLAIMS["name"]

    members = {SUBJECT: Member()}
    app = new_app()
    manager = LoginManager(app)
    manager.user_loader(members.get)
    manager.login_view = "login"
    app.add_url_rule("/login", "login", lambda: "")
    app.add_url_rule("/", "page", login_required(lambda: f"Hello {current_user.name}"))
    return Contestant(app, {"_user_id": SUBJECT, "_fresh": True}, 302)


def cobot_oidc() -> Contestant:
    """We."""
    from cobot_oidc import CobotOIDC, User, current_user, login_required
    from cobot_oidc.identity.stored import KEY, Identity

    app = new_app(COBOT_OIDC_CLIENT_ID="portal")
    CobotOIDC(app)

    @app.get("/")
    @login_required
    def page() -> str:
        return f"Hello {current_user.name}"

    claims = {name: CLAIMS[name] for name in ("name", "email")}
    stored = Identity(User(ISSUER, SUBJECT, None, claims, NOW)).stored(app.extensions["cobot_oidc"].terms)
    return Contestant(app, {KEY + ISSUER: stored}, 302)


def flask_oidc() -> Contestant:
    """flask-oidc."""
    from flask_oidc import OpenIDConnect

    app = new_app(OIDC_CLIENT_SECRETS={"web": CLIENT})
    oidc = OpenIDConnect(app)
    # As after its first page view, which asks the provider.
    oidc.oauth.oidc.server_metadata |= {"token_endpoint": f"{ISSUER}/oauth/access_token", "_loaded_at": NOW}
    app.add_url_rule("/", "page", oidc.require_login(lambda: f"Hello {session['oidc_auth_profile']['name']}"))
    token = {
        "access_token": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_at": NOW + 86400,
        "id_token": ID_TOKEN,
    }
    return Contestant(app, {"oidc_auth_token": token, "oidc_auth_profile": CLAIMS}, 302)


def flask_pyoidc() -> Contestant:
    """Flask-pyoidc."""
    from flask_pyoidc import OIDCAuthentication
    from flask_pyoidc.provider_configuration import ClientMetadata, ProviderConfiguration, ProviderMetadata
    from flask_pyoidc.user_session import UserSession

    metadata = ProviderMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/oauth/authorize",
        token_endpoint=f"{ISSUER}/oauth/access_token",
        jwks_uri=f"{ISSUER}/jwks.json",
    )
    client = ClientMetadata("portal", "s3cret")
    app = new_app(OIDC_REDIRECT_URI="https://portal.example/callback")
    oidc = OIDCAuthentication({"cobot": ProviderConfiguration(provider_metadata=metadata, client_metadata=client)}, app)

    @app.get("/")
    @oidc.oidc_auth("cobot")  # type: ignore[untyped-decorator] # it has no types
    def page() -> str:
        return f"Hello {UserSession(session).id_token['name']}"

    stored = {
        "current_provider": "cobot",
        "last_authenticated": NOW,
        "last_session_refresh": NOW,
        "access_token": ACCESS_TOKEN,
        "id_token": {**CLAIMS, "iss": ISSUER, "aud": ["portal"], "exp": NOW + 3600, "iat": NOW},
        "id_token_jwt": ID_TOKEN,
    }
    return Contestant(app, stored, 302)


CONTESTANTS: dict[str, Callable[[], Contestant]] = {
    "Flask and its session": plain,
    "a check by hand": by_hand,
    "Flask-Login": flask_login,
    "cobot_oidc": cobot_oidc,
    "flask-oidc": flask_oidc,
    "Flask-pyoidc": flask_pyoidc,
}


def app_of(name: str) -> Flask:
    """One of the apps, for a server that wants no more."""
    return CONTESTANTS[name]().app


if __name__ == "__main__":
    contestant = CONTESTANTS[sys.argv[1]]()
    status = contestant.app.test_client().get("/").status_code
    sys.exit(0 if status == contestant.logged_out else f"{sys.argv[1]} answers {status}")

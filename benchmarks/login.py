"""What the end of a login costs over TLS, next door and 20 ms away: we, and the clients that we are compared with.

What is measured is the time that the callback takes, from the browser's request to the answer. Warm: the median of
logins one after the other, in interleaved rounds, as a multiple of the least possible (one token request on a kept
connection, and the check of the id token). Cold: the first login of a new app, whose person takes half a second to sign
in, with what the provider was asked for it from its beginning on.
"""

import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import requests
from flask import Flask, redirect, session, url_for
from werkzeug.test import TestResponse

from benchmarks.far_provider import CLIENT_ID, CLIENT_SECRET, KEYS, TOKEN, Asked, FarProvider, far_provider
from benchmarks.tables import LOGIN_FAR_AWAY, LOGIN_NEXT_DOOR
from cobot_oidc.protocol import KeySet, verify_id_token

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 15
TABLES = {0.0: LOGIN_NEXT_DOOR, 0.02: LOGIN_FAR_AWAY}  # by the round trip in seconds
HOME = "http://localhost"


class Login(NamedTuple):
    """An app that logs people in. ``is_logged_in`` judges by its session afterwards."""

    app: Flask
    begin: str
    is_logged_in: Callable[[dict[str, Any]], bool]


def new_app(**config: Any) -> Flask:
    app = Flask("portal")
    app.config.update(SECRET_KEY="k" * 32, **config)
    app.add_url_rule("/", "home", lambda: "home")
    return app


def cobot_oidc(provider: FarProvider) -> Login:
    """We."""
    from cobot_oidc import CobotOIDC

    app = new_app(
        COBOT_OIDC_CLIENT_ID=CLIENT_ID,
        COBOT_OIDC_CLIENT_SECRET=CLIENT_SECRET,
        COBOT_OIDC_ISSUER=provider.issuer,
        COBOT_OIDC_CA_BUNDLE=provider.ca_bundle,
    )
    CobotOIDC(app)
    return Login(app, "/cobot/login", lambda kept: any(name.startswith("cobot:") for name in kept))


def authlib(provider: FarProvider) -> Login:
    """Authlib's flask client, as its documentation writes it."""
    from authlib.integrations.flask_client import OAuth

    app = new_app()
    client = OAuth(app).register(
        "cobot",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )
    app.add_url_rule("/login", "login", lambda: client.authorize_redirect(url_for("callback", _external=True)))

    @app.get("/callback")
    def callback() -> Any:
        session["user"] = client.authorize_access_token()["userinfo"]
        return redirect("/")

    return Login(app, "/login", lambda kept: "user" in kept)


def flask_oidc(provider: FarProvider) -> Login:
    """flask-oidc."""
    from flask_oidc import OpenIDConnect

    secrets = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "issuer": provider.issuer}
    app = new_app(OIDC_CLIENT_SECRETS={"web": secrets}, OIDC_USER_INFO_ENABLED=False)
    OpenIDConnect(app)
    return Login(app, "/login", lambda kept: "oidc_auth_token" in kept)


def flask_pyoidc(provider: FarProvider) -> Login:
    """Flask-pyoidc."""
    from flask_pyoidc import OIDCAuthentication
    from flask_pyoidc.provider_configuration import ClientMetadata, ProviderConfiguration

    app = new_app(OIDC_REDIRECT_URI=f"{HOME}/callback")
    configuration = ProviderConfiguration(
        issuer=provider.issuer, client_metadata=ClientMetadata(CLIENT_ID, CLIENT_SECRET)
    )
    oidc = OIDCAuthentication({"cobot": configuration}, app)
    app.add_url_rule("/login", "login", oidc.oidc_auth("cobot")(lambda: "in"))
    return Login(app, "/login", lambda kept: "id_token" in kept)


CONTESTANTS: dict[str, Callable[[FarProvider], Login]] = {
    "cobot_oidc": cobot_oidc,
    "Authlib's flask client": authlib,
    "flask-oidc": flask_oidc,
    "Flask-pyoidc": flask_pyoidc,
}


def log_in(login: Login, signing_in: float = 0) -> float:
    """One login of a new browser: seconds that its callback took. ``signing_in``: those that the person takes."""
    browser = login.app.test_client()
    to_provider = browser.get(login.begin, base_url=HOME)
    asked = parse_qs(urlsplit(to_provider.location).query)
    path = urlsplit(asked["redirect_uri"][0]).path
    time.sleep(signing_in)
    start = time.perf_counter()
    answer: TestResponse = browser.get(
        path, base_url=HOME, query_string={"code": asked["nonce"][0], "state": asked["state"][0]}
    )
    seconds = time.perf_counter() - start
    assert answer.status_code in (302, 303), (login.app.blueprints, answer.status_code, answer.text)
    with browser.session_transaction(base_url=HOME) as kept:
        assert login.is_logged_in(dict(kept)), dict(kept)
    return seconds


def least(provider: FarProvider) -> Callable[[], float]:
    """One token request on a kept connection, and the check of what comes."""
    http = requests.Session()
    http.verify = provider.ca_bundle
    keys = KeySet.parse(http.get(provider.issuer + KEYS).content)

    def once() -> float:
        start = time.perf_counter()
        answer = http.post(provider.issuer + TOKEN, data={"code": "nonce", "client_id": CLIENT_ID}).json()
        verify_id_token(
            answer["id_token"], keys, issuer=provider.issuer, client_id=CLIENT_ID, nonce="nonce", now=time.time()
        )
        return time.perf_counter() - start

    return once


def main() -> None:
    """Measure, and print one table for each distance."""
    logging.disable(logging.CRITICAL)
    for round_trip, table in TABLES.items():
        with far_provider(round_trip) as provider:
            os.environ["REQUESTS_CA_BUNDLE"] = provider.ca_bundle  # ours reads nothing from there
            once = least(provider)
            logins, cold = {}, {}
            for name, make in CONTESTANTS.items():
                before = provider.asked()
                logins[name] = make(provider)
                seconds = log_in(logins[name], signing_in=0.5)
                after = provider.asked()
                cold[name] = seconds, Asked(after.requests - before.requests, after.connections - before.connections)
            warm: dict[str, list[float]] = {"the least possible": [], **{name: [] for name in logins}}
            for _ in range(ROUNDS):
                warm["the least possible"].append(once())
                for name, login in logins.items():
                    warm[name].append(log_in(login))
        base = statistics.median(warm["the least possible"])
        print(f"\nA round trip of {round_trip * 1000:.0f} ms:\n")
        rows = []
        for name, measured in warm.items():
            median = statistics.median(measured)
            first = ("", "", "")
            if name in cold:
                seconds, asked = cold[name]
                first = (f"{seconds * 1000:.0f}", str(asked.requests), str(asked.connections))
            rows.append((name, f"{median / base:.2f}", f"{median * 1000:.1f}", *first))
        print(table.filled(rows))


if __name__ == "__main__":
    main()

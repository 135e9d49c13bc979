"""The tests of an app as its developer types them: what ``make lint`` has mypy and pyright check. Nobody runs it."""

from typing import assert_type

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Cookie, TestResponse

from cobot_oidc import User
from cobot_oidc.standin import StandIn
from cobot_oidc.testing import BrowserClient, Visitor, log_in, log_out


def app(cobot: StandIn) -> Flask:
    cobot.register_client("portal", secret="s3cret", redirect_uri="http://localhost/cobot/callback")
    app = Flask("portal")
    app.config["COBOT_OIDC_ISSUER"] = cobot.issuer
    app.test_client_class = BrowserClient
    return app


def without_a_provider(app: Flask, logged_in_client: FlaskClient) -> None:
    client = app.test_client()
    assert_type(log_in(client, "ada", space="co-up", member=True, name="Ada", email="ada@example.com"), User)
    assert_type(log_in(client, member="m-1", admin=True, token="t", scopes=("read_bookings",)), User)
    log_out(logged_in_client)


def at_the_stand_in(app: Flask, cobot: StandIn) -> None:
    visitor = Visitor(app, cobot)
    assert_type(visitor.log_in("/desk", "grace"), TestResponse)
    assert_type(visitor.answer(visitor.begin("/desk"), cancel=True), str)
    assert_type(visitor.cookies, list[Cookie])
    assert_type(visitor.browser, FlaskClient)
    cobot.alter("id_token_claims", {"nonce": "another"})
    assert_type(cobot.people["ada"].subject, str)

"""What an operator can count: events with names and numbers, for every outcome, and never a secret."""

import logging
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import CobotOIDC, oidc_event
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor
from .redis_server import RedisServer


def counts(portal: Flask) -> dict[tuple[str, str], int]:
    return CobotOIDC().counts(portal)


@pytest.mark.covers("L05")
def test_every_outcome_of_a_login_is_counted(portal: Flask, visitor: Visitor) -> None:
    visitor.log_in("/desk")
    visitor.log_out()
    callback = visitor.answer(visitor.begin("/desk"), cancel=True)
    visitor.get(callback)
    visitor.get("/cobot/callback?code=c&state=unknown")

    assert counts(portal) == {
        ("metadata_renewed", ""): 1,
        ("keys_renewed", ""): 1,
        ("login_started", ""): 2,
        ("logged_in", ""): 1,
        ("logged_out", ""): 1,
        ("login_failed", "cancelled"): 1,
        ("login_failed", "transaction_unknown"): 1,
    }


def test_the_current_app_is_counted_if_none_is_named(portal: Flask, visitor: Visitor) -> None:
    visitor.begin("/desk")
    with portal.app_context():
        assert CobotOIDC().counts()["login_started", ""] == 1


def test_apps_are_counted_apart(make_portal: MakePortal, cobot: StandIn) -> None:
    first, second = make_portal(), make_portal()
    Visitor(first, cobot).begin("/desk")
    assert counts(second) == {}


@pytest.mark.covers("L05")
def test_the_signal_tells_issuer_code_and_duration(
    portal: Flask, visitor: Visitor, cobot: StandIn, clock: Clock
) -> None:
    told: list[dict[str, Any]] = []

    def note(app: Flask, **event: Any) -> None:
        assert app is portal
        told.append(event)

    with oidc_event.connected_to(note):
        callback = visitor.answer(visitor.begin("/co-up/desk"))
        clock.move(7)
        visitor.get(callback)
        visitor.get("/cobot/callback?error=access_denied")
    issuer = cobot.space_issuer("co-up")
    assert {"event": "keys_renewed", "issuer": issuer, "code": None, "seconds": None} in told
    assert {"event": "logged_in", "issuer": issuer, "code": None, "seconds": 7} in told
    assert {"event": "login_failed", "issuer": None, "code": "transaction_unknown", "seconds": None} in told


def test_a_handler_that_fails_stops_nobody(portal: Flask, visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_app: Flask, **_event: Any) -> None:
        raise RuntimeError

    with oidc_event.connected_to(fail), caplog.at_level(logging.ERROR, "cobot_oidc"):
        assert visitor.log_in("/desk").status_code == 200
    assert counts(portal)["logged_in", ""] == 1
    assert "a handler of oidc_event failed" in caplog.text


@pytest.mark.covers("F03", "S21")
@pytest.mark.usefixtures("clock")
def test_apps_that_share_a_redis_share_documents_and_used_logins(
    make_portal: MakePortal, cobot: StandIn, redis: RedisServer
) -> None:
    first, second = (make_portal(COBOT_OIDC_REDIS_URL=redis.url) for _ in range(2))
    visitor = Visitor(first, cobot)
    callback = visitor.answer(visitor.begin("/desk"))
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)
    assert visitor.get(callback).status_code == 303
    assert Visitor(second, cobot).get_with(cookies, callback).status_code == 400
    assert counts(second)["login_failed", "transaction_used"] == 1
    assert ("logged_in", "") not in counts(second)
    Visitor(second, cobot).log_in("/desk")
    assert cobot.asked("/.well-known/openid-configuration") == 1
    assert cobot.asked("/jwks.json") == 1
    assert cobot.asked("/oauth/access_token") == 2


@pytest.mark.covers("L02")
def test_logins_go_on_without_redis_and_say_so(
    make_portal: MakePortal, cobot: StandIn, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis.stop()
    portal = make_portal(COBOT_OIDC_REDIS_URL=redis.url.replace("redis://", "redis://:the-redis-password@"))
    with caplog.at_level(logging.DEBUG):
        assert Visitor(portal, cobot).log_in("/desk").status_code == 200
    assert counts(portal)["store_unavailable", ""] == 1
    assert "store_unavailable" in caplog.text
    assert "the-redis-password" not in caplog.text + repr(portal.extensions["cobot_oidc"].settings)  # L02

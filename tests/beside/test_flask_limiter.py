"""Flask-Limiter: our views can be limited one by one, and a login that is stopped at its end goes on later."""

from typing import Any

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from cobot_oidc.standin import StandIn

from ..conftest import Visitor
from .conftest import RunPage


@pytest.fixture
def page(run_page: RunPage) -> Any:
    page = run_page("flask-limiter", RATELIMIT_STORAGE_URI="memory://")
    page.app.add_url_rule("/", "home", lambda: page.current_user.name or "nobody")
    return page


def begin_often(client: Any, times: int = 60, **options: Any) -> None:
    for _ in range(times):
        assert client.get("/cobot/login", **options).status_code == 302


def test_an_address_begins_no_more_logins_than_the_limit(page: Any) -> None:
    client = page.app.test_client()
    begin_often(client)

    answer = client.get("/cobot/login")

    assert answer.status_code == 429
    assert "60 per 1 minute" in answer.text
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert client.get("/cobot/login", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 302


def test_the_answer_is_protected_as_ours_are(page: Any) -> None:
    client = page.app.test_client()
    begin_often(client)

    headers = client.get("/cobot/login").headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_each_view_has_a_limit_of_its_own(page: Any, cobot: StandIn) -> None:
    visitor = Visitor(page.app, cobot)
    begin_often(visitor.browser, 59)

    assert visitor.log_in("/cobot/login").text == "Ada Lovelace"
    assert visitor.log_out().status_code == 303  # which has none but the default


def test_a_login_that_is_stopped_at_its_end_goes_on_later(page: Any, cobot: StandIn) -> None:
    visitor = Visitor(page.app, cobot)
    answer = visitor.answer(visitor.begin("/cobot/login"))
    for _ in range(60):
        assert visitor.get("/cobot/callback?state=another").status_code == 400
    assert visitor.get(answer).status_code == 429
    assert cobot.asked("/oauth/access_token") == 0

    page.limiter.reset()

    assert visitor.get(answer).status_code == 303
    assert visitor.get("/").text == "Ada Lovelace"


def test_people_who_are_logged_in_are_counted_one_by_one(page: Any, cobot: StandIn) -> None:
    ada, grace = Visitor(page.app, cobot), Visitor(page.app, cobot)
    ada.log_in("/cobot/login", "ada")
    grace.log_in("/cobot/login", "grace")

    before = int(grace.get("/").headers["X-RateLimit-Remaining"])
    left = [int(visitor.get("/").headers["X-RateLimit-Remaining"]) for visitor in (ada, ada, grace)]

    assert left[0] - left[1] == 1
    assert left[2] == before - 1


@pytest.mark.parametrize("is_fixed", [True, False])
def test_behind_a_proxy_everybody_has_one_address_unless_werkzeug_reads_the_real_one(page: Any, is_fixed: bool) -> None:
    if is_fixed:
        page.app.wsgi_app = ProxyFix(page.app.wsgi_app, x_for=1)
    client = page.app.test_client()
    begin_often(client, headers={"X-Forwarded-For": "192.0.2.7"})

    answer = client.get("/cobot/login", headers={"X-Forwarded-For": "192.0.2.8"})

    assert answer.status_code == (302 if is_fixed else 429)


def test_the_logout_has_the_default_limit_although_the_login_has_its_own(page: Any) -> None:
    client = page.app.test_client()

    assert client.get("/cobot/login").headers["X-RateLimit-Limit"] == "60"
    assert client.post("/cobot/logout").headers["X-RateLimit-Limit"] == "600"

"""A login keeps what the app held for the visitor, as Django's does, unless another person was there (S01, F24)."""

from hashlib import sha256
from typing import Any

import pytest
from flask import Flask, session

from cobot_oidc.standin import StandIn

from .conftest import MakePortal, Visitor


@pytest.fixture
def shop(make_portal: MakePortal) -> Flask:
    """A portal with a cart and a language, as anonymous visitors have them too."""
    portal = make_portal()

    @portal.get("/keep/<name>/<value>")
    def keep(name: str, value: str) -> str:
        session[name] = value
        return value

    @portal.get("/kept")
    def kept() -> dict[str, Any]:
        return {name: value for name, value in session.items() if not name.startswith("cobot")}

    return portal


def test_a_cart_and_a_language_survive_a_login(shop: Flask, cobot: StandIn) -> None:
    visitor = Visitor(shop, cobot)
    visitor.get("/keep/cart/coffee")
    visitor.get("/keep/language/de")

    visitor.log_in("/desk")

    assert visitor.get("/kept").json == {"cart": "coffee", "language": "de"}


def test_they_survive_a_second_login_of_the_same_person_and_one_elsewhere(shop: Flask, cobot: StandIn) -> None:
    visitor = Visitor(shop, cobot)
    visitor.log_in("/desk")
    visitor.get("/keep/cart/coffee")

    visitor.log_in("/co-up/desk")
    assert visitor.get(visitor.answer(visitor.begin("/cobot/login?next=/desk"))).status_code == 303

    assert visitor.get("/kept").json == {"cart": "coffee"}


@pytest.mark.covers("F24")
def test_nothing_survives_when_another_person_logs_in(shop: Flask, cobot: StandIn) -> None:
    visitor = Visitor(shop, cobot)
    visitor.log_in("/desk", "ada")
    visitor.log_in("/co-up/desk", "ada")
    visitor.get("/keep/cart/coffee")

    grace = Visitor(shop, cobot)
    assert visitor.get(grace.answer(visitor.begin("/cobot/login"), "grace")).status_code == 303

    assert visitor.get("/kept").json == {}
    assert visitor.sees("/co-up/open") is None


def test_the_last_logout_clears_everything_and_one_before_it_nothing(shop: Flask, cobot: StandIn) -> None:
    visitor = Visitor(shop, cobot)
    visitor.log_in("/desk")
    visitor.log_in("/co-up/desk")
    visitor.get("/keep/cart/coffee")

    visitor.log_out("co-up")
    assert visitor.get("/kept").json == {"cart": "coffee"}
    visitor.log_out()
    assert visitor.get("/kept").json == {}


@pytest.mark.covers("S06")
def test_the_app_s_own_data_counts_for_the_size_of_the_cookie(shop: Flask, cobot: StandIn) -> None:
    visitor = Visitor(shop, cobot)
    notes = 0
    while (cookie := visitor.browser.get_cookie("session")) is None or len(cookie.value) < 3650:
        notes += 1
        visitor.get(f"/keep/note-{notes}/{sha256(bytes([notes])).hexdigest()}")

    page = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert page.status_code == 500
    assert len(visitor.get("/kept").json or {}) == notes


@pytest.mark.parametrize("claims", ["name", "email name", "name email picture"])
def test_what_was_kept_under_other_claims_is_not_read_as_these(
    make_portal: MakePortal, cobot: StandIn, claims: str
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_CLAIMS="name email"), cobot)
    visitor.log_in()
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)

    unchanged, changed = (Visitor(make_portal(COBOT_OIDC_CLAIMS=one), cobot) for one in ("name email", claims))

    pages = [one.get_with(cookies, "/").json or {} for one in (unchanged, changed)]
    assert pages[0]["user"] is not None
    assert pages[1]["user"] is None

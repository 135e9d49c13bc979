"""Scopes that a view needs beyond those that every login asks for: granted once, and never at a stranger's wish."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, jsonify

from cobot_oidc import CobotOIDC, from_view_arg, login_required, requires_scope
from cobot_oidc.standin import StandIn

from .conftest import Clock, Visitor

JSON = {"Accept": "application/json"}
CONFIGURED = {"openid", "read_user"}


@pytest.fixture
def app(settings: dict[str, Any], clock: Clock) -> Flask:
    """A portal with a page for everybody who is logged in, and two that need more."""
    app = Flask("portal")
    app.config.update(settings | {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_SCOPES": list(CONFIGURED)})
    oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

    @app.get("/<space>/scopes")
    @login_required
    def scopes(space: str) -> Any:
        return jsonify(sorted(oidc.api.granted_scopes()), space)

    @app.get("/<space>/bookings")
    @requires_scope("read_bookings")
    def bookings(space: str) -> Any:
        return jsonify(len(list(oidc.api.pages("/bookings", filter={"space": space}))))

    @app.get("/<space>/reception")
    @requires_scope("read_check_ins", "write_check_ins")
    def reception(space: str) -> str:
        return f"reception of {space}"

    @app.post("/<space>/reception")
    @requires_scope("write_check_ins")
    def check_in(space: str) -> str:
        return f"checked in to {space}"

    @app.get("/global")
    @requires_scope("read_bookings", space=None)
    def everywhere() -> str:
        return "everywhere"

    return app


def asked_for(authorization_url: str) -> set[str]:
    [scope] = parse_qs(urlsplit(authorization_url).query)["scope"]
    return set(scope.split())


def test_who_has_not_granted_it_is_sent_to_grant_it_and_comes_back(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    authorization_url = ada.begin("/co-up/bookings?from=today")

    assert asked_for(authorization_url) == CONFIGURED | {"read_bookings"}
    answer = ada.browser.get(ada.answer(authorization_url))
    assert answer.location == "/co-up/bookings?from=today"
    assert ada.get(answer.location).json > 0  # type: ignore[operator] # a number
    assert ada.get("/co-up/bookings").status_code == 200


def test_who_is_not_logged_in_logs_in_and_grants_it_at_once(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)

    assert asked_for(ada.begin("/co-up/bookings")) == CONFIGURED | {"read_bookings"}
    assert ada.log_in("/co-up/bookings").status_code == 200


def test_a_later_login_keeps_what_was_granted(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    ada.log_in("/co-up/bookings")

    assert asked_for(ada.begin("/co-up/reception")) == CONFIGURED | {
        "read_bookings",
        "read_check_ins",
        "write_check_ins",
    }
    assert asked_for(ada.begin("/cobot/login?space=co-up")) == CONFIGURED | {"read_bookings"}


def test_what_was_granted_at_one_space_is_not_at_another(app: Flask, cobot: StandIn) -> None:
    grace = Visitor(app, cobot)
    grace.log_in("/co-up/scopes", "grace")
    grace.log_in("/co-up/bookings", "grace")
    grace.log_in("/betahaus/scopes", "grace")

    assert grace.get("/betahaus/bookings").status_code == 302
    assert asked_for(grace.begin("/cobot/login?space=betahaus")) == CONFIGURED


def test_a_program_gets_403(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    answer = ada.get("/co-up/bookings", headers=JSON)

    assert answer.status_code == 403
    assert answer.json["code"] == "insufficient_scope"  # type: ignore[index] # it is JSON


def test_a_program_of_a_stranger_gets_401(app: Flask, cobot: StandIn) -> None:
    assert Visitor(app, cobot).get("/co-up/bookings", headers=JSON).status_code == 401


@pytest.mark.covers("A08", "F21")
def test_what_nobody_in_particular_is_asked_for_is_not_asked_of_who_is_logged_in(app: Flask, cobot: StandIn) -> None:
    mallory, ada = Visitor(app, cobot), Visitor(app, cobot)
    ada.log_in("/co-up/scopes")

    assert asked_for(ada.begin(mallory.get("/co-up/bookings").location)) == CONFIGURED


def test_a_provider_that_grants_less_is_not_asked_in_circles(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    cobot.alter("token", {"scope": "openid read_user"})
    page = ada.log_in("/co-up/bookings")

    assert page.status_code == 403
    assert "This app may not do this for you" in page.text
    assert ada.get("/co-up/bookings").status_code == 403
    cobot.alter("token", {"scope": "openid read_user read_bookings"})
    link = page.text.partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert ada.log_in(link).status_code == 200  # who changes their mind


def test_a_configured_scope_that_was_not_granted_is_missing_too(app: Flask, cobot: StandIn) -> None:
    app.add_url_rule("/<space>/me", "me", requires_scope("read_user")(lambda **_: "me"))
    ada = Visitor(app, cobot)
    cobot.alter("token", {"scope": "openid"})
    ada.log_in("/co-up/scopes")

    assert ada.get("/co-up/me").status_code == 403


def test_who_cancels_is_told_so_and_stays_logged_in(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    page = ada.browser.get(ada.answer(ada.begin("/co-up/bookings"), cancel=True))

    assert page.status_code == 403
    assert "You cancelled the login." in page.text
    assert ada.get("/co-up/scopes").status_code == 200


def test_a_form_that_was_posted_is_not_lost_in_a_circle(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    answer = ada.browser.post("/co-up/reception", headers={"Accept": "text/html"})

    assert answer.status_code == 302
    assert "next=" not in answer.location
    ada.log_in(answer.location)
    assert ada.browser.post("/co-up/reception").text == "checked in to co-up"


def test_a_guard_may_name_its_space(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)

    assert ada.log_in("/global").text == "everywhere"


@pytest.mark.covers("A08", "F21")
@pytest.mark.parametrize("whose", ["a stranger's", "nobody's", "an old one"])
def test_no_stranger_makes_a_login_ask_for_more(app: Flask, cobot: StandIn, clock: Clock, whose: str) -> None:
    """A link to our login with scopes that a page asked somebody else for, with plain ones, and one of long ago."""
    mallory, ada = Visitor(app, cobot), Visitor(app, cobot)
    mallory.log_in("/co-up/scopes", "haruki")
    ada.log_in("/co-up/scopes", "ada")
    if whose == "a stranger's":
        link = mallory.get("/co-up/bookings").location
    elif whose == "nobody's":
        link = "/cobot/login?space=co-up&scope=read_bookings&grant=read_bookings&scopes=read_bookings"
    else:
        link = ada.get("/co-up/bookings").location
        clock.move(601)

    assert asked_for(ada.begin(link)) == CONFIGURED


@pytest.mark.covers("A08")
def test_a_stranger_s_grant_asks_nobody_else_for_more(app: Flask, cobot: StandIn) -> None:
    link = Visitor(app, cobot).get("/co-up/bookings").location
    [grant] = parse_qs(urlsplit(link).query)["grant"]
    url = Visitor(app, cobot).begin(f"/cobot/login?space=betahaus&grant={grant}")

    assert "read_bookings" not in asked_for(url)


@pytest.mark.parametrize("scopes", [(), (None,), (lambda: "x",)])
def test_a_guard_without_scopes_is_a_mistake(scopes: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="requires_scope"):
        requires_scope(*scopes)

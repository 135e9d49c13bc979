"""Flask-WTF: the logout's form with its token, and what of ours can be exempt from it."""

from typing import Any

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect, generate_csrf

from cobot_oidc.standin import StandIn

from ..conftest import MakePortal, Visitor
from .conftest import RunPage

OWN_PAGE = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}


def token_on(visitor: Visitor, path: str) -> str:
    return visitor.get(path).text.partition('value="')[2].partition('"')[0]


def test_the_form_of_the_page_logs_out(run_page: RunPage, cobot: StandIn) -> None:
    visitor = Visitor(run_page("flask-wtf", 1).app, cobot)
    visitor.log_in("/cobot/login?next=/")
    form = {"csrf_token": token_on(visitor, "/")}

    assert visitor.log_out().status_code == 400
    assert visitor.browser.post("/cobot/logout", data=form, headers=OWN_PAGE).status_code == 303
    assert "Log in" in visitor.get("/").text


def test_an_old_form_logs_out_only_if_the_logout_is_exempt(run_page: RunPage, cobot: StandIn) -> None:
    for first, status in ((1, 400), (2, 303)):
        app = run_page("flask-wtf", first, WTF_CSRF_TIME_LIMIT="-1").app
        visitor = Visitor(app, cobot)
        visitor.log_in("/cobot/login?next=/")
        form = {"csrf_token": token_on(visitor, "/")}

        assert visitor.browser.post("/cobot/logout", data=form, headers=OWN_PAGE).status_code == status


def test_an_exempt_logout_is_still_refused_to_other_sites(run_page: RunPage, cobot: StandIn) -> None:
    visitor = Visitor(run_page("flask-wtf").app, cobot)
    visitor.log_in("/cobot/login?next=/")

    assert visitor.browser.post("/cobot/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert "Log out" in visitor.get("/").text


def test_exempt_is_the_logout_alone(make_portal: MakePortal) -> None:
    portal = make_portal(COBOT_OIDC_EMBEDDED=True)
    CSRFProtect(portal).exempt(portal.view_functions["cobot_oidc.logout"])

    refused = portal.test_client().post("/cobot/frame", headers=OWN_PAGE)

    assert refused.status_code == 400
    assert "CSRF token is missing" in refused.text


@pytest.mark.parametrize("has_referrer", [True, False])
def test_over_https_flask_wtf_asks_where_the_frame_s_request_comes_from(
    make_portal: MakePortal, has_referrer: bool
) -> None:
    """``tests/embed`` shows that browsers send the header, although the page itself asks them to send none."""
    portal = make_portal(COBOT_OIDC_EMBEDDED=True, COBOT_OIDC_REDIRECT_URI="https://localhost/cobot/callback")
    CSRFProtect(portal)
    portal.add_url_rule("/form", "form", generate_csrf)
    client, https = portal.test_client(), "https://localhost"
    token = client.get("/form", base_url=https).text
    headers = {"X-CSRFToken": token, "Origin": https, "Sec-Fetch-Site": "same-origin"}
    if has_referrer:
        headers["Referer"] = f"{https}/cobot/embedded"

    answer = client.post("/cobot/frame", base_url=https, headers=headers).text

    assert ("The referrer header is missing" in answer) is not has_referrer


@pytest.fixture
def portal(make_portal: MakePortal) -> Flask:
    portal = make_portal()
    csrf: Any = CSRFProtect(portal)
    csrf.exempt(portal.view_functions["cobot_oidc.logout"])
    portal.add_url_rule("/form", "form", generate_csrf)
    portal.add_url_rule("/sent", "sent", lambda: "thank you", methods=["POST"])
    return portal


def test_a_form_that_was_open_during_a_login_can_still_be_sent(portal: Flask, cobot: StandIn) -> None:
    visitor = Visitor(portal, cobot)
    token = visitor.get("/form").text

    visitor.log_in("/desk")

    assert visitor.browser.post("/sent", data={"csrf_token": token}).text == "thank you"
    assert visitor.browser.post("/sent", data={"csrf_token": "forged"}).status_code == 400
    visitor.log_out()
    assert visitor.browser.post("/sent", data={"csrf_token": token}).status_code == 400

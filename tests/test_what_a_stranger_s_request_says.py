"""Hosts and prefixes that a stranger made up: no URL of ours leads anywhere else, and nobody is woken at night."""

import logging
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.middleware.proxy_fix import ProxyFix

from cobot_oidc import require_user
from cobot_oidc.standin import StandIn

from .conftest import MakePortal, Visitor

ODD = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:",
    "javascript:alert(1)//",
    "https://evil.example",
    ".evil.example",
    "@evil.example",
    ":8080@evil.example",
    "evil",
    "/a//evil.example",
    "/..//evil.example",
    "/./x",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/;/evil.example",
    "/a?b",
    "/a#b",
    "/a b",
    "/<script>",
]


@pytest.fixture
def behind_proxy(make_portal: MakePortal) -> Flask:
    portal = make_portal(COBOT_OIDC_AFTER_LOGIN="open")
    portal.wsgi_app = ProxyFix(portal.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    return portal


def stays_here(location: str) -> bool:
    url = urlsplit(urljoin("http://localhost/", location.replace("\\", "/")))
    return (url.scheme, url.netloc) == ("http", "localhost")


@pytest.mark.parametrize("prefix", ODD)
@pytest.mark.parametrize("json", [False, True])
def test_a_prefix_that_is_no_path_leads_nowhere(behind_proxy: Flask, prefix: str, json: bool) -> None:
    browser = behind_proxy.test_client()
    headers = {"X-Forwarded-Prefix": prefix, "Origin": "http://localhost"}
    headers |= {"Accept": "application/json"} if json else {}
    for path in ("/desk", "/co-up/desk", "/cobot/login?next=/desk", "/cobot/callback?state=x&code=y", "/Evil!/desk"):
        response = browser.get(path, headers=headers)
        assert response.status_code in (400, 404), path
        assert "evil.example" not in response.text
        assert "javascript" not in response.text
    response = browser.post("/cobot/logout", headers=headers)
    assert response.status_code == 400


@pytest.mark.parametrize("prefix", ODD)
def test_a_login_that_began_well_does_not_end_elsewhere(behind_proxy: Flask, cobot: StandIn, prefix: str) -> None:
    browser = behind_proxy.test_client()
    url = browser.get("/cobot/login?next=/desk").location
    callback = cobot.sign_in(url)

    response = browser.get(callback, headers={"X-Forwarded-Prefix": prefix})

    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "session=" not in str(response.headers)
    assert browser.get(callback).location == "/desk"  # the honest answer still ends the login


@pytest.mark.parametrize(
    "prefix", ["", "/", "/members", "/members/", "/a/b-c_d.e~f", "/caf\u00e9".encode().decode("latin1")]
)
def test_a_plain_prefix_is_taken(behind_proxy: Flask, prefix: str) -> None:
    browser = behind_proxy.test_client()

    response = _get(browser, "/desk", prefix)

    assert response.status_code == 302
    assert stays_here(response.location)
    assert "/cobot/login" in response.location
    assert _get(browser, "/cobot/login", prefix).status_code == 302


def _get(browser: FlaskClient, path: str, prefix: str) -> Any:
    return browser.get(path, environ_overrides={"HTTP_X_FORWARDED_PREFIX": prefix})


@pytest.mark.covers("R06")
def test_a_host_that_nothing_vouches_for_is_the_stranger_s_mistake(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    browser = make_portal().test_client()
    with caplog.at_level(logging.DEBUG):
        for path in ("/cobot/callback?state=x&code=y", "/cobot/login"):
            response = browser.get(path, base_url="http://evil.example")
            assert response.status_code == 400
            assert "evil" not in response.text

    levels = {record.levelno for record in caplog.records}
    assert max(levels) == logging.WARNING
    hint = caplog.records[-1].getMessage()
    for setting in ("redirect_uri_unknown", "COBOT_OIDC_REDIRECT_URI", "SERVER_NAME", "TRUSTED_HOSTS"):
        assert setting in hint


@pytest.mark.parametrize("prefix", ODD)
@pytest.mark.parametrize("json", [False, True])
def test_neither_the_page_after_a_logout_nor_a_view_that_needs_a_user_leads_elsewhere(
    behind_proxy: Flask, prefix: str, json: bool
) -> None:
    behind_proxy.add_url_rule("/me", "me", lambda: require_user().subject)
    headers = {"X-Forwarded-Prefix": prefix} | ({"Accept": "application/json"} if json else {})

    for path in ("/cobot/logged-out", "/cobot/logged-out?space=co-up", "/me"):
        response = behind_proxy.test_client().get(path, headers=headers)
        assert response.status_code == 400, path
        assert "evil.example" not in response.text
        assert "javascript" not in response.text


# As uWSGI passes it on; gunicorn and waitress refuse it themselves.
RAW = {"QUERY_STRING": "space=co-up&next=/\xff&x=\xc3"}


@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"Sec-Fetch-Dest": "iframe"}])
def test_a_query_that_is_not_utf_8_gets_a_clear_answer(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture, embedded: bool, headers: dict[str, str]
) -> None:
    portal = make_portal(COBOT_OIDC_EMBEDDED=embedded)
    portal.add_url_rule("/me", "me", lambda: require_user().subject)
    browser = portal.test_client()
    ours = ["login", "callback", "logged-out"] + (["embedded", "frame"] if embedded else [])
    for path in ("/desk", "/co-up/desk", "/me", *(f"/cobot/{name}" for name in ours)):
        response = browser.get(path, headers=headers, environ_overrides=RAW)
        assert response.status_code == 400, path
        assert "Please start again." in response.text
    posted = headers | {"Sec-Fetch-Site": "same-origin"}
    assert browser.post("/cobot/logout", headers=posted, environ_overrides=RAW).status_code == 400
    assert "query_malformed" in caplog.text


@pytest.mark.parametrize("embedded", [False, True])
def test_a_query_that_is_not_utf_8_is_nothing_to_the_app_s_other_pages(
    make_portal: MakePortal, cobot: StandIn, embedded: bool
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_EMBEDDED=embedded), cobot)
    visitor.log_in("/desk")
    for path, status in (("/desk", 200), ("/", 200), ("/nothing", 404)):
        for headers in ({}, {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"}):
            response = visitor.get(path, headers=headers, environ_overrides=RAW)
            assert response.status_code == status, (path, headers)

"""Our own cookies: under their very names, from the header as browsers send it (S03, S13)."""

import time

import pytest
from flask import Flask

from cobot_oidc.standin import StandIn

from .conftest import MakePortal, Visitor

OVER_TLS = {"base_url": "https://localhost"}


@pytest.fixture
def secure(make_portal: MakePortal, cobot: StandIn) -> Flask:
    """A portal that browsers reach over https."""
    cobot.register_client(
        "portal", secret="s3cret-of-the-portal", redirect_uri="https://localhost/cobot/callback", name="Portal"
    )
    return make_portal(COBOT_OIDC_REDIRECT_URI="https://localhost/cobot/callback")


def transaction(visitor: Visitor) -> tuple[str, str]:
    cookie = next(cookie for cookie in visitor.cookies if cookie.key.startswith("__Host-cobot_oidc_"))
    return cookie.key, cookie.value


@pytest.mark.covers("S13")
@pytest.mark.parametrize("before", ["\u00a0", "\u0085", "\u001c", "\u2003", "\x0b", "\xa0\xa0"])
def test_a_name_with_odd_blanks_before_the_prefix_is_not_ours(secure: Flask, cobot: StandIn, before: str) -> None:
    attacker = Visitor(secure, cobot)
    callback = attacker.answer(attacker.begin("/cobot/login?next=/desk", **OVER_TLS), "grace")
    name, value = transaction(attacker)
    # A sibling subdomain can set such a cookie; a library that strips the blank takes it for one with the prefix.
    tossed = f"{before}{name}={value}; visits=1".encode().decode("latin1")

    page = secure.test_client(use_cookies=False).get(callback, headers={"Cookie": tossed}, **OVER_TLS)

    assert page.status_code == 400
    assert cobot.asked("/oauth/access_token") == 0


def test_the_very_name_is_ours(secure: Flask, cobot: StandIn) -> None:
    visitor = Visitor(secure, cobot)
    callback = visitor.answer(visitor.begin("/cobot/login?next=/desk", **OVER_TLS))
    name, value = transaction(visitor)

    page = secure.test_client(use_cookies=False).get(callback, headers={"Cookie": f"a=b;{name}={value}"}, **OVER_TLS)

    assert page.status_code == 303
    cookies = page.headers.getlist("Set-Cookie")
    assert all("Secure" in cookie for cookie in cookies)
    assert all(cookie.startswith(("__Host-cobot_oidc_", "session=")) for cookie in cookies)


@pytest.mark.covers("S13")
def test_a_cookie_without_the_prefix_is_not_ours_over_tls(secure: Flask, cobot: StandIn) -> None:
    visitor = Visitor(secure, cobot)
    callback = visitor.answer(visitor.begin("/cobot/login", **OVER_TLS))
    name, value = transaction(visitor)
    bare = f"{name.removeprefix('__Host-')}={value}"

    page = secure.test_client(use_cookies=False).get(callback, headers={"Cookie": bare}, **OVER_TLS)

    assert page.status_code == 400


@pytest.mark.covers("S07")
def test_thousands_of_cookies_cost_no_more_than_reading_them(
    portal: Flask,
) -> None:
    header = "; ".join(f"cobot_oidc_{number:022d}=a" for number in range(13_000))
    client = portal.test_client(use_cookies=False)
    began = time.thread_time()

    for path in ("/cobot/login", "/cobot/callback?state=x&code=y", "/desk"):
        assert client.get(path, headers={"Cookie": header}).status_code in (302, 400)

    assert time.thread_time() - began < 5  # of CPU; each name looked up in the header took 44 seconds

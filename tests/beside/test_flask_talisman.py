"""Flask-Talisman: https throughout, headers that still protect our pages, and cookies that come back."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_talisman import Talisman

from cobot_oidc import CobotOIDC, from_view_arg
from cobot_oidc.standin import StandIn

from ..conftest import MakePortal, Visitor, add_pages
from .conftest import NAVIGATION, RunPage

CALLBACK = "https://localhost/cobot/callback"


@pytest.fixture
def page(run_page: RunPage, cobot: StandIn) -> Any:
    """The app of the page, which browsers reach by https."""
    cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=CALLBACK, name="Portal")
    return run_page("flask-talisman", COBOT_OIDC_REDIRECT_URI=CALLBACK, PREFERRED_URL_SCHEME="https")


def test_somebody_logs_in_and_out_over_https(page: Any, cobot: StandIn) -> None:
    visitor = Visitor(page.app, cobot)

    assert visitor.log_in("/desk").text == "Hello Ada Lovelace"
    assert visitor.log_out().status_code == 303
    assert visitor.get("/desk", headers=NAVIGATION).status_code == 302


def test_behind_a_proxy_https_is_not_redirected_again(page: Any) -> None:
    client = page.app.test_client()
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost", "X-Forwarded-For": "192.0.2.7"}

    assert client.get("/desk", base_url="http://app:8000").location.startswith("https://app:8000/")
    assert client.get("/desk", base_url="http://app:8000", headers=proxied).location == "/cobot/login?next=/desk"


def test_a_page_of_ours_is_still_protected(page: Any) -> None:
    headers = page.app.test_client().get("/cobot/callback?code=c&state=s", headers=NAVIGATION).headers

    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "img-src 'self' https:" in headers["Content-Security-Policy"]


def strict(app: Any) -> None:
    Talisman(app, force_https=False, session_cookie_samesite="Strict")


def lax(app: Any) -> None:
    Talisman(app, force_https=False)


@pytest.mark.parametrize(("set_up", "status"), [(lax, 200), (strict, 500)])
def test_a_strict_cookie_that_talisman_sets_later_is_refused(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture, set_up: Callable[[Any], None], status: int
) -> None:
    portal = make_portal()
    set_up(portal)

    assert portal.test_client().get("/").status_code == status
    assert ("SESSION_COOKIE_SAMESITE" in caplog.text) is (status == 500)


@pytest.mark.covers("E06")
@pytest.mark.parametrize("options", [{}, {"frame_options": None}])
@pytest.mark.parametrize("is_first", [True, False])
def test_in_an_app_for_frames_cobot_may_show_the_page_and_nobody_else(
    settings: dict[str, Any], cobot: StandIn, options: dict[str, Any], is_first: bool
) -> None:
    app = Flask("portal")
    app.config.update(settings, COBOT_OIDC_EMBEDDED=True)
    if is_first:
        Talisman(app, force_https=False, **options)
    CobotOIDC(app, space=from_view_arg("space"))
    if not is_first:
        Talisman(app, force_https=False, **options)
    add_pages(app)

    headers = app.test_client().get("/co-up/open").headers

    assert "X-Frame-Options" not in headers
    assert headers.getlist("Content-Security-Policy") == [
        "default-src 'self'; object-src 'none'",
        f"frame-ancestors {cobot.issuer} {cobot.space_issuer('co-up')}",
    ]

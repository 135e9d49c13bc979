"""The README's ten lines in a real browser, under the policy that Flask-Talisman sends by default."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, jsonify
from playwright.sync_api import Browser, Page, expect

from cobot_oidc import CobotOIDC, current_user, from_view_arg, login_required
from cobot_oidc.standin import StandIn

from ..serving import listening
from .test_in_a_browser import allow

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "single-page-apps.md"
POLICY = "default-src 'self'; object-src 'none'"


@pytest.fixture
def ten_lines(demo_cobot: StandIn) -> Iterator[tuple[Flask, str]]:
    """The README's ten lines with an API and spaces, and where they are."""
    app = Flask("portal")
    with listening() as server:
        base = f"http://localhost:{server.port}"
        demo_cobot.register_client("demo", secret="demo-secret", redirect_uri=f"{base}/cobot/callback", name="Portal")
        app.config.update(
            SECRET_KEY="d" * 32,
            COBOT_OIDC_CLIENT_ID="demo",
            COBOT_OIDC_CLIENT_SECRET="demo-secret",
            COBOT_OIDC_ISSUER=demo_cobot.issuer,
            COBOT_OIDC_SPACE_ISSUER=demo_cobot.space_issuer_template,
        )
        CobotOIDC(app, space=from_view_arg("space"))

        @app.get("/")
        @login_required
        def home() -> str:
            log_out = '<form method="post" action="/cobot/logout"><button>Log out</button></form>'
            return f"<h1>Hello {current_user.name}</h1>{log_out}"

        @app.get("/<space>/")
        @login_required
        def space_home(space: str) -> str:
            return f"<h1>Hello {current_user.name} at {space}</h1>"

        @app.get("/app")
        def single_page_app() -> str:
            return "<!doctype html><title>App</title><h1>App</h1>"

        @app.get("/api/me")
        @login_required
        def me() -> Response:
            return jsonify(name=current_user.name)

        @app.after_request
        def protect(response: Response) -> Response:
            response.headers["Content-Security-Policy"] = POLICY
            return response

        server.app = app
        yield app, base


@pytest.fixture
def page(chromium: Browser, ten_lines: tuple[Flask, str]) -> Iterator[Page]:
    context = chromium.new_context(base_url=ten_lines[1])
    yield context.new_page()
    context.close()


def sign_in(page: Page) -> None:
    page.get_by_role("button", name="Ada Lovelace").click()
    allow(page)


def test_after_a_logout_nobody_is_logged_in_again_at_once(page: Page) -> None:
    page.goto("/")
    sign_in(page)
    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are logged out")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are logged out")

    page.get_by_role("link", name="Log in again").click()
    allow(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello Ada Lovelace")
    page.go_back()
    assert "You are logged out" not in page.content()


def test_a_single_page_app_as_its_page_says(page: Page, demo_cobot: StandIn) -> None:
    sample = re.search(r"```js\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert sample is not None
    page.goto("/app?tab=2#inbox")

    status = page.evaluate("fetch('/api/me').then(async (r) => [r.status, r.redirected, (await r.json()).code])")
    assert status == [401, False, "login_required"]
    assert demo_cobot.requests == []
    assert page.context.cookies() == []

    with page.expect_navigation():
        page.evaluate(f"() => {{ {sample[1]}\nvoid api('/api/me') }}")
    sign_in(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("App")
    assert page.url.endswith("/app?tab=2#inbox")
    assert page.evaluate(f"() => {{ {sample[1]}\nreturn api('/api/me') }}") == {"name": "Ada Lovelace"}

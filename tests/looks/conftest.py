"""A small app under Flask-Talisman's default policy, with pages that fail, and browsers in front of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from flask import Flask
from flask_talisman import Talisman
from playwright.sync_api import Browser, BrowserContext, Page

from cobot_oidc import APIError, CobotOIDC, ConfigurationError, LoginError, ProviderError, from_view_arg, login_required
from cobot_oidc.standin import StandIn

from ..serving import listening

ERRORS = {kind.__name__: kind for kind in (APIError, ConfigurationError, LoginError, ProviderError)}


class Look(NamedTuple):
    """How a page is looked at."""

    width: int
    height: int
    scheme: Literal["light", "dark"]

    def __str__(self) -> str:
        return f"{self.width}_{self.scheme}"


LOOKS = [Look(390, 760, "light"), Look(390, 760, "dark"), Look(1280, 800, "light"), Look(1280, 800, "dark")]


class Portal(NamedTuple):
    """The app, and where it is."""

    app: Flask
    url: str


@pytest.fixture
def portal(live_cobot: StandIn) -> Iterator[Portal]:
    """The app of ``make_portal`` with nothing changed."""
    with served(live_cobot) as portal:
        yield portal


@contextmanager
def served(cobot: StandIn, name: str = "member_portal", **talisman: Any) -> Iterator[Portal]:
    """An app of this name, which Flask-Talisman protects as it does by default, but over http."""
    app = Flask(name, root_path=str(Path(__file__).parent))
    with listening() as server:
        base = f"http://portal.localhost:{server.port}"
        cobot.register_client(
            "demo",
            secret="demo-secret",
            redirect_uri=f"{base}/cobot/callback",
            name="Member portal",
            embed_url=f"{base}/{{space}}/",
        )
        app.config.update(
            SECRET_KEY="d" * 32,
            COBOT_OIDC_CLIENT_ID="demo",
            COBOT_OIDC_CLIENT_SECRET="demo-secret",
            COBOT_OIDC_ISSUER=cobot.issuer,
            COBOT_OIDC_SPACE_ISSUER=cobot.space_issuer_template,
            COBOT_OIDC_SPACES=list(cobot.spaces),
            COBOT_OIDC_REDIRECT_URI=f"{base}/cobot/callback",
            COBOT_OIDC_EMBEDDED=True,
        )
        CobotOIDC(app, space=from_view_arg("space"))
        Talisman(app, force_https=False, **talisman)

        @app.get("/<space>/")
        @login_required
        def home(space: str) -> str:
            return f"<!doctype html><title>{space}</title><h1>{space}</h1>"

        @app.get("/fails/<kind>/<code>")
        def fails(kind: str, code: Any) -> str:
            raise ERRORS[kind](code)

        @app.get("/<space>/fails/<kind>/<code>")
        def fails_at_a_space(space: str, kind: str, code: Any) -> str:
            del space
            raise ERRORS[kind](code)

        server.app = app
        yield Portal(app, base)


def look_at(page: Page, look: Look) -> None:
    """Go on looking at this page in another way, once it is there with its style."""
    page.wait_for_load_state("load")
    page.set_viewport_size({"width": look.width, "height": look.height})
    page.emulate_media(color_scheme=look.scheme)


class Window(NamedTuple):
    """A page in a browser profile of its own, and what the browser refused to load on it."""

    page: Page
    refused: list[str]


Open = Callable[..., Window]


@pytest.fixture
def open_window(chromium: Browser) -> Iterator[Open]:
    """Opens a window with this look; other options are those of ``Browser.new_context``."""
    contexts: list[BrowserContext] = []

    def open_it(look: Look = LOOKS[2], **options: Any) -> Window:
        size = {"width": look.width, "height": look.height}
        context = chromium.new_context(
            **{"viewport": size, "color_scheme": look.scheme, "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        page, refused = context.new_page(), list[str]()
        page.on("console", lambda message: refused.append(message.text) if "Security" in message.text else None)
        return Window(page, refused)

    yield open_it
    for context in contexts:
        context.close()

"""The example app and its stand-in on ports of their own, and a real Chromium in front of them."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from cobot_oidc.standin import StandIn
from example_app import create_app

from ..serving import listening

BERLIN = ZoneInfo("Europe/Berlin")
PHOTO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="#a5673f"/></svg>'


@pytest.fixture
def _one_day() -> None:
    """What is "tomorrow" at the spaces stays so during the test: the last two minutes of a day are waited for."""
    later = datetime.now(BERLIN) + timedelta(minutes=2)
    midnight = later.replace(hour=0, minute=0, second=0, microsecond=0)
    if (left := (midnight - datetime.now(BERLIN)).total_seconds()) > 0:
        time.sleep(left)


@pytest.fixture
def demo_cobot(live_cobot: StandIn) -> StandIn:
    """The stand-in beside the example app."""
    return live_cobot


@pytest.fixture
def address(demo_cobot: StandIn) -> Iterator[str]:
    """Where the example app is."""
    with listening() as server:
        base = f"http://localhost:{server.port}"
        demo_cobot.register_client(
            "demo",
            secret="demo-secret",
            redirect_uri=f"{base}/cobot/callback",
            name="Portal",
            embed_url=f"{base}/{{space}}/",
        )
        portal = create_app(
            {
                "SECRET_KEY": "d" * 32,
                "COBOT_OIDC_CLIENT_ID": "demo",
                "COBOT_OIDC_CLIENT_SECRET": "demo-secret",
                "COBOT_OIDC_ISSUER": demo_cobot.issuer,
                "COBOT_OIDC_SPACE_ISSUER": demo_cobot.space_issuer_template,
            }
        )
        server.app = portal
        yield base


@pytest.fixture
def booked(demo_cobot: StandIn) -> StandIn:
    """A space where Ada has 25 bookings and nobody else has any."""
    demo_cobot.world.of("co-up").bookings.clear()
    demo_cobot.add_bookings("co-up", person="ada", count=25)
    return demo_cobot


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(chromium: Browser, address: str) -> Iterator[NewPage]:
    """Opens a page in a browser profile of its own."""
    contexts: list[BrowserContext] = []

    def open_page(width: int = 1000, height: int = 800, dark: bool = False) -> Page:
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        # Members' photos live at addresses that no test machine reaches; one of them is missing everywhere.
        context.route("https://**", lambda route: route.abort())
        context.route(
            "https://pictures.example/grace*", lambda route: route.fulfill(body=PHOTO, content_type="image/svg+xml")
        )
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """One page at a desk."""
    return new_page()

"""The example app and its stand-in on ports of their own, and a real Chromium in front of them."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from cobot_oidc.standin import StandIn
from example_app import create_app

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PHOTO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="#a5673f"/></svg>'


@pytest.fixture
def demo_cobot() -> Iterator[StandIn]:
    """A stand-in with a clock that runs, as browsers have one too."""
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def address(demo_cobot: StandIn) -> Iterator[str]:
    """Where the example app is."""
    # The port has to be known before the app is configured, so the server comes first.
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
    base = f"http://localhost:{server.server_port}"
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
    server.app = lambda environ, start: _read(portal(environ, start))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield base
    server.shutdown()
    thread.join()
    server.server_close()


def _read(body: Iterable[bytes]) -> list[bytes]:
    """The whole answer: Werkzeug's server leaves a file open if a window is closed while it is sent."""
    with closing(cast(Any, body)) if hasattr(body, "close") else nullcontext(body) as chunks:
        return list(chunks)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        del type, message, args


@pytest.fixture
def booked(demo_cobot: StandIn) -> StandIn:
    """A space where Ada has 25 bookings and nobody else has any."""
    demo_cobot.world.of("co-up").bookings.clear()
    demo_cobot.add_bookings("co-up", person="ada", count=25)
    return demo_cobot


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[NewPage]:
    """Opens a page in a browser profile of its own; what is on the last one at the end becomes a screenshot."""
    contexts: list[BrowserContext] = []

    def open_page(width: int = 1000, height: int = 800, dark: bool = False) -> Page:
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(10_000)
        # Members' photos live at addresses that no test machine reaches; one of them is missing everywhere.
        context.route("https://**", lambda route: route.abort())
        context.route(
            "https://pictures.example/grace*", lambda route: route.fulfill(body=PHOTO, content_type="image/svg+xml")
        )
        contexts.append(context)
        return context.new_page()

    yield open_page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for number, context in enumerate(contexts):
        for page in context.pages[:1]:
            name = re.sub(r"\W+", "_", request.node.name.removeprefix("test_")).strip("_")
            page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png", full_page=True)
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """One page at a desk."""
    return new_page()

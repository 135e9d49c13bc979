"""The portal with a host for each space, ``co-up.portal.localhost``: the same pages, and one login for each space."""

import os
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from werkzeug.test import TestResponse

from cobot_oidc.standin import StandIn
from example_app import create_app

from ..programs import running
from ..samples import REPOSITORY
from ..serving import free_port, listening
from .test_booking_in_a_browser import fill_in
from .test_in_a_browser import allow, expect_heading, sign_in
from .test_inside_cobot import frame, open_area
from .test_inside_cobot import log_in as log_in_from_the_frame
from .test_without_a_browser import run

NAME = "portal.localhost"


def by_host(cobot: StandIn, port: int, **changes: object) -> Flask:
    host = f"{NAME}:{port}"
    cobot.register_client(
        "portal",
        secret="secret-of-the-portal",
        redirect_uri=f"http://{host}/cobot/callback",
        name="Portal",
        embed_url=f"http://{{space}}.{host}/",
    )
    return create_app(
        {
            "TESTING": True,
            "SECRET_KEY": "d" * 32,
            "PORTAL_HOST": host,
            "COBOT_OIDC_CLIENT_ID": "portal",
            "COBOT_OIDC_CLIENT_SECRET": "secret-of-the-portal",
            "COBOT_OIDC_ISSUER": cobot.issuer,
            "COBOT_OIDC_SPACE_ISSUER": cobot.space_issuer_template,
            **changes,
        }
    )


@pytest.fixture
def browser(live_cobot: StandIn) -> FlaskClient:
    return by_host(live_cobot, 5000).test_client()


def at(space: str | None) -> dict[str, Any]:
    """Where a request goes to."""
    return {"base_url": f"http://{f'{space}.' if space else ''}{NAME}:5000"}


def test_a_space_s_host_shows_its_pages_and_the_portal_s_own_host_none(browser: FlaskClient) -> None:
    assert browser.get("/space/", **at("co-up")).location.startswith("/cobot/login?")
    assert "Betahaus" in browser.get("/", **at(None)).text
    for path in ("/space/", "/space/bookings", "/co-up/"):
        assert browser.get(path, **at(None)).status_code == 404
    for path in ("/", "/space/"):
        assert browser.get(path, **at("atlantis")).status_code == 404
    assert browser.get("/", **at("www")).status_code == 200  # what Cobot's page about all spaces shows


@pytest.mark.parametrize("path", ["/", "/space/", "/cobot/login?space=co-up", "/nothing"])
def test_a_host_that_is_not_the_portal_s_is_refused(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path, base_url="http://evil.example")

    assert answer.status_code == 400
    assert "evil.example" not in answer.text


def test_all_hosts_share_one_callback_and_one_session(cobot: StandIn) -> None:
    app = by_host(cobot, 5000)

    assert app.config["COBOT_OIDC_REDIRECT_URI"] == f"http://{NAME}:5000/cobot/callback"
    assert app.config["SESSION_COOKIE_DOMAIN"] == NAME


def followed(browser: FlaskClient, cobot: StandIn, url: str, person: str = "grace") -> tuple[str, TestResponse]:
    """Where a browser ends that opens this address, and the page there."""
    for _ in range(10):
        page = browser.get(url)
        if page.location is None:
            return url, page
        url = urljoin(url, page.location)
        if "/oauth/authorize" in url:
            url = cobot.sign_in(url, person)
    raise AssertionError("too many redirects")


def test_a_login_comes_back_to_the_host_where_it_began(browser: FlaskClient, live_cobot: StandIn) -> None:
    co_up, betahaus = f"http://co-up.{NAME}:5000", f"http://betahaus.{NAME}:5000"
    place, page = followed(browser, live_cobot, f"{co_up}/space/bookings")

    assert (place, page.status_code) == (f"{co_up}/space/bookings", 200)
    assert 'href="/space/invoices"' in page.text
    assert f'href="http://{NAME}:5000/"' in page.text  # the way to all spaces
    place, page = followed(browser, live_cobot, f"{betahaus}/")  # nobody is logged in there yet
    assert (place, page.status_code) == (f"{betahaus}/", 200)
    assert f'href="{co_up}/space/"' in page.text
    assert followed(browser, live_cobot, f"{co_up}/")[0] == f"{co_up}/space/"


def test_a_login_without_a_page_to_come_back_to_ends_at_the_space(browser: FlaskClient, live_cobot: StandIn) -> None:
    place, _ = followed(browser, live_cobot, f"http://{NAME}:5000/cobot/login?space=co-up")

    assert place == f"http://co-up.{NAME}:5000/space/"


@pytest.fixture
def address(live_cobot: StandIn) -> Iterator[str]:
    with listening() as server:
        server.app = by_host(live_cobot, server.port)
        yield f"{NAME}:{server.port}"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    context.route("https://**", lambda route: route.abort())
    yield context.new_page()
    context.close()


def test_a_login_begins_and_ends_at_the_host_of_its_space(page: Page, address: str) -> None:
    page.goto(f"http://{address}/")
    page.get_by_role("link", name="Log in with Cobot at co.up Coworking").click()
    sign_in(page, "Grace Hopper")
    expect_heading(page, "Today at co.up Coworking")
    expect(page).to_have_url(f"http://co-up.{address}/space/")
    page.get_by_role("link", name="Bookings", exact=True).click()
    expect(page).to_have_url(f"http://co-up.{address}/space/bookings")

    page.goto(f"http://betahaus.{address}/space/bookings")
    sign_in(page, "Grace Hopper")
    expect(page).to_have_url(f"http://betahaus.{address}/space/bookings")
    page.get_by_role("link", name="Member portal").click()
    expect(page).to_have_url(f"http://{address}/")
    expect(page.get_by_text("Member", exact=True)).to_have_count(2)
    page.get_by_role("link", name="Open co.up Coworking").click()
    expect(page).to_have_url(f"http://co-up.{address}/space/")


def test_a_login_for_everything_ends_at_the_portal_s_own_host(page: Page, address: str) -> None:
    page.goto(f"http://co-up.{address}/")
    expect_heading(page, "Welcome")  # nobody is sent to log in who only looks
    page.get_by_role("link", name="Log in with Cobot", exact=True).click()
    sign_in(page, "Grace Hopper")

    expect_heading(page, "Your profile at Cobot")
    expect(page).to_have_url(f"http://{address}/profile")
    page.get_by_role("link", name="Open co.up Coworking").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Log in to")  # each space knows people on its own


def test_a_logout_of_a_space_leaves_the_other(page: Page, address: str) -> None:
    for space in ("co-up", "betahaus"):
        page.goto(f"http://{space}.{address}/space/")
        sign_in(page, "Grace Hopper")
    page.get_by_role("button", name="Log out of Betahaus").click()
    expect_heading(page, "You are logged out")
    page.get_by_role("link", name="Go to the start page").click()
    expect_heading(page, "Welcome")

    expect(page.get_by_role("listitem").filter(has_text="Betahaus")).to_contain_text("You are not logged in here.")
    page.get_by_role("link", name="Open co.up Coworking").click()
    expect_heading(page, "Today at co.up Coworking")


def test_a_booking_is_made_and_cancelled_at_a_space_s_host(page: Page, address: str, live_cobot: StandIn) -> None:
    live_cobot.world.of("co-up").bookings.clear()
    page.goto(f"http://co-up.{address}/space/bookings/new")
    sign_in(page, "Ada Lovelace")
    allow(page)  # Cobot asks for more when it is first needed
    fill_in(page)
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_role("status")).to_contain_text("You have booked Meeting Room")
    page.get_by_role("link", name="Cancel this booking").click()
    page.get_by_role("button", name="Cancel the booking").click()

    expect(page.get_by_role("status")).to_have_text("Your booking of Meeting Room is cancelled.")
    expect(page).to_have_url(f"http://co-up.{address}/space/bookings")


def test_inside_cobot_the_frame_is_the_space_s_host(page: Page, address: str, live_cobot: StandIn) -> None:
    open_area(page, live_cobot)
    log_in_from_the_frame(page)

    expect(frame(page).get_by_role("heading", level=1)).to_have_text("Today at co.up Coworking")
    assert page.frames[1].url.startswith(f"http://co-up.{address}/space/")
    frame(page).get_by_role("button", name="Log out of co.up Coworking").click()
    expect(frame(page).get_by_role("heading", level=1)).to_have_text("You are logged out")


@pytest.mark.covers("R06")
@pytest.mark.parametrize("is_by_host", [False, True])
@pytest.mark.parametrize("host", ["..portal.localhost", "a..portal.localhost", f"{'a' * 64}.portal.localhost"])
def test_a_host_that_is_none_gets_a_plain_answer(live_cobot: StandIn, is_by_host: bool, host: str) -> None:
    """A page about it had no link that could be made, and neither had the page about that."""
    portal = by_host(live_cobot, 5000, **({} if is_by_host else {"PORTAL_HOST": None}))
    answer = portal.test_client().get("/", headers={"Host": host})

    assert (answer.status_code, answer.text) == (400, "This host is not served here.")


def test_the_demo_serves_spaces_by_host_and_says_so() -> None:
    port = str(free_port())
    environment = os.environ | {"PORT": port, "STANDIN_PORT": "0", "PORTAL_HOST": NAME}
    with running([sys.executable, "-m", "example_app"], "Ctrl-C", folder=REPOSITORY, environment=environment) as said:
        assert f"http://{NAME}:{port}/" in said
        assert f"http://co-up.{NAME}:{port}/" in said


def test_the_demo_says_which_hosts_it_can_have() -> None:
    with run("example_app", PORTAL_HOST="portal.example") as demo:
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert re.match(r"PORTAL_HOST is 'portal.example', but has to be a name below localhost", said)

"""An app gives our pages its name and its colours, in two lines and a stylesheet."""

import pytest
from jinja2 import DictLoader, StrictUndefined
from playwright.sync_api import expect

from cobot_oidc.standin import StandIn

from ..accessibility import violations
from ..samples import samples
from ..screenshots import shoot
from .conftest import LOOKS, Open, Portal, look_at, served

BRAND, STYLE = (sample.code for sample in samples() if sample.place.startswith("docs/how-to/look.md"))


def test_the_two_lines_and_the_stylesheet_of_the_page(portal: Portal, open_window: Open) -> None:
    portal.app.jinja_loader = DictLoader({"cobot_oidc/brand.html": BRAND})
    portal.app.jinja_env.undefined = StrictUndefined
    portal.app.add_url_rule("/static/brand.css", view_func=lambda: (STYLE, {"Content-Type": "text/css"}))
    page, refused = open_window()
    page.goto(f"{portal.url}/cobot/logged-out")

    expect(page.locator("header")).to_contain_text("The Shed")
    expect(page).to_have_title("You are logged out · The Shed")
    colours = set()
    for look in LOOKS:
        look_at(page, look)
        shoot(page, "page_brand", look.scheme, look.width)
        assert violations(page) == []
        colours.add(page.locator(".button").first.evaluate("e => getComputedStyle(e).backgroundColor"))
    assert len(colours) == 2
    assert not colours & {"rgb(11, 110, 79)", "rgb(85, 208, 162)"}
    assert refused == []


def test_a_logo_takes_the_place_of_the_letter(portal: Portal, open_window: Open) -> None:
    portal.app.jinja_loader = DictLoader({"cobot_oidc/brand.html": '{% set logo = "/logo.svg" %}'})
    logo = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"><rect width="80" height="40" fill="red"/></svg>'
    )
    portal.app.add_url_rule("/logo.svg", view_func=lambda: (logo, {"Content-Type": "image/svg+xml"}))
    page, refused = open_window()
    page.goto(f"{portal.url}/cobot/logged-out")

    assert page.locator("img.logo").evaluate("e => [e.naturalWidth, e.clientHeight]") == [80, 36]
    expect(page.locator(".mark")).to_have_count(0)
    expect(page.locator("header")).to_contain_text("Member portal")
    assert violations(page) == []
    assert refused == []


@pytest.mark.covers("R06")
def test_behind_a_prefix_that_leads_elsewhere_the_brand_is_left_out(portal: Portal) -> None:
    brand = '{% set style = url_for("static", filename="brand.css") %}{% set logo = style %}'
    portal.app.jinja_loader = DictLoader({"cobot_oidc/brand.html": brand})
    browser = portal.app.test_client()
    for script_name, is_there in (("/portal", True), ("//evil.example", False)):
        page = browser.get("/cobot/callback?state=x", environ_overrides={"SCRIPT_NAME": script_name})
        assert ("brand.css" in page.text) == is_there
        assert "evil.example" not in page.text


@pytest.mark.parametrize(
    ("module", "name"),
    [("member_portal", "Member portal"), ("shed.portal", "Portal"), ("app", None), ("shed.wsgi", None), ("_", None)],
)
def test_without_a_brand_the_app_is_called_as_its_module(live_cobot: StandIn, module: str, name: str | None) -> None:
    with served(live_cobot, module) as portal:
        page = portal.app.test_client().get("/cobot/logged-out").text

    title = f"You are logged out · {name}" if name else "You are logged out"
    assert f"<title>{title}</title>" in page
    assert ("<header" in page) == bool(name)

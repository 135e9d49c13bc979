"""Our pages and the stand-in's with the keyboard alone, enlarged, in the colours of the system, and without motion."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cobot_oidc.standin import StandIn

from ..accessibility import violations
from ..screenshots import shoot
from .conftest import LOOKS, Look, Open, Portal
from .test_our_pages import PAGES as OURS
from .test_standins_pages import PAGES as STANDINS
from .test_standins_pages import choose_a_person

Go = Callable[[Page, StandIn, Portal], None]


def ours(path: str) -> Go:
    def go(page: Page, cobot: StandIn, portal: Portal) -> None:
        del cobot
        page.goto(portal.url + path)

    return go


SOME: dict[str, Go] = {
    "our_error": ours(OURS["membership_required"][0]),
    "our_logout": ours(OURS["logged_out_of_space"][0]),
    **{f"standin_{name}": go for name, (go, _) in STANDINS.items()},
}


def test_axe_is_awake(open_window: Open) -> None:
    page, _ = open_window()
    page.set_content("<p style='color: #999'>Hello</p><img src=x><input>")

    found = " ".join(violations(page))
    for rule in ("color-contrast", "image-alt", "label", "document-title", "html-has-lang"):
        assert rule in found


def test_the_keyboard_reaches_the_primary_action_first_and_shows_where_it_is(portal: Portal, open_window: Open) -> None:
    page, _ = open_window()
    page.goto(portal.url + OURS["membership_required"][0])

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Go to the space at Cobot")).to_be_focused()
    assert outline(page) == ("solid", "3px")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Go to the start page")).to_be_focused()
    assert outline(page) == ("solid", "3px")


def test_a_login_at_the_stand_in_with_the_keyboard_alone(
    live_cobot: StandIn, portal: Portal, open_window: Open
) -> None:
    page, _ = open_window()
    choose_a_person(page, live_cobot, portal)

    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        assert outline(page) == ("solid", "3px")
        order.append(page.evaluate("document.activeElement.value + document.activeElement.name"))
    assert order == ["adaperson", "graceperson", "alexperson", "ninaperson", "harukiperson", "1cancel"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Allow Member portal?")
    expect(page.get_by_role("button", name="Allow")).to_be_focused()


def outline(page: Page) -> tuple[str, str]:
    style, width = page.evaluate(
        "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))"
    )
    return style, width


@pytest.mark.parametrize("name", SOME)
def test_enlarged_to_four_times_its_size_nothing_is_cut_off(
    live_cobot: StandIn, portal: Portal, open_window: Open, name: str
) -> None:
    """1280 px at 200 % are 640, and at 400 % 320 (WCAG 1.4.10)."""
    page, _ = open_window(Look(640, 400, "light"), device_scale_factor=2)
    SOME[name](page, live_cobot, portal)
    for width in (640, 320):
        page.set_viewport_size({"width": width, "height": 400})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut_off = (
            "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        )
        assert page.evaluate(f"{cut_off}.map(e => e.outerHTML)") == []
    shoot(page, f"enlarged_{name}")


@pytest.mark.parametrize("name", SOME)
def test_in_the_colours_of_the_system_actions_are_still_told_apart(
    live_cobot: StandIn, portal: Portal, open_window: Open, name: str
) -> None:
    page, _ = open_window(LOOKS[0], forced_colors="active")
    SOME[name](page, live_cobot, portal)
    shoot(page, f"forced_colors_{name}")

    looks = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('.button, button')].map(e => {
          const {backgroundColor, borderTopStyle, borderTopColor} = getComputedStyle(e);
          const isPrimary = e.matches('.primary, .button:not(.quiet)');
          return [e.innerText, [isPrimary, backgroundColor, borderTopStyle, borderTopColor]];
        }))"""
    )
    primary = {look[1] for look in looks.values() if look[0]}
    others = {look[1] for look in looks.values() if not look[0]}
    assert not primary & others
    assert all(look[2] == "solid" and look[3] != "rgba(0, 0, 0, 0)" for look in looks.values())


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
@pytest.mark.parametrize("name", ["our_error", "standin_consent"])
def test_nothing_moves_for_who_does_not_want_it(
    live_cobot: StandIn, portal: Portal, open_window: Open, name: str, motion: str
) -> None:
    page, _ = open_window(reduced_motion=motion)
    SOME[name](page, live_cobot, portal)

    takes = page.locator(".button, button").first.evaluate("e => getComputedStyle(e).transitionDuration")
    assert (takes.split(",")[0] == "0s") == (motion == "reduce")

"""How a browser gets through pages that others have written: on each it does what the page asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as NothingHappened

LONGEST_WAIT = 30_000  # ms: two cores may be busy with something else

_WHAT_IS_SHOWN = """([until, selectors]) => {
  if (document.readyState === "loading") return null;
  if (location.href.startsWith(until)) return "there";
  const shown = (selector) => document.querySelector(selector)?.checkVisibility();
  const number = selectors.findIndex(shown);
  return number < 0 ? null : String(number);
}"""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: once ``shows``, a CSS selector, is on the page. It is done once."""

    shows: str
    act: Callable[[Page], object]


def click(selector: str) -> Step:
    """A step that clicks on what it waits for."""
    return Step(selector, lambda page: page.click(selector))


def fill(fields: dict[str, str], then: str) -> Step:
    """A step that fills in a form, selector by selector, and clicks on its button."""

    def act(page: Page) -> None:
        for selector, value in fields.items():
            page.fill(selector, value)
        page.click(then)

    return Step(next(iter(fields)), act)


class LostError(AssertionError):
    """The browser got stuck on a page."""


def walk(page: Page, steps: Sequence[Step], until: str) -> None:
    """Take these steps as the pages come, until the browser is at an address that begins like this.

    :raises LostError: if the browser stays on a page where there is nothing left to do.
    """
    remaining = list(steps)
    while (shown := _shown(page, remaining, until)) != "there":
        remaining.pop(int(shown)).act(page)


def _shown(page: Page, steps: Sequence[Step], until: str) -> str:
    try:
        found = page.wait_for_function(
            _WHAT_IS_SHOWN, arg=[until, [step.shows for step in steps]], timeout=LONGEST_WAIT
        )
    except NothingHappened as error:
        text = " ".join(page.locator("body").inner_text().split())
        raise LostError(f"the browser stayed at {page.url.partition('?')[0]}: {text[:200]}") from error
    return str(found.json_value())

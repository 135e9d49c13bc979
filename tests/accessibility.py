"""What axe finds on a page. It is the axe of the package axe-playwright-python: no test needs the network for it."""

import re
from importlib.resources import files

from playwright.sync_api import Frame, Page

_RUN = "axe.run(document, {resultTypes: ['violations'], iframes: false}).then(found => found.violations)"


def violations(page: Page | Frame) -> list[str]:
    """Every rule that a page breaks, best practices included, and where; without what is in its frames.

    Styles are finished first: in the middle of a transition, colours are none of the design's.
    """
    page.evaluate("Promise.allSettled(document.getAnimations().map(animation => animation.finished))")
    if not page.evaluate("'axe' in window"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    return [
        f"{broken['id']} ({broken['impact']}): {element['target']} {_in_one_line(element['failureSummary'])}"
        for broken in page.evaluate(_RUN)
        for element in broken["nodes"]
    ]


def _in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)

"""Where the pictures of pages go that tests take: ``build/screenshots/portal-home-light-1280.png``."""

from pathlib import Path

from playwright.sync_api import Page

FOLDER = Path(__file__).parents[1] / "build" / "screenshots"


def shoot(page: Page, name: str, scheme: str = "", width: int | None = None, *, full_page: bool = True) -> None:
    """Take a picture of a page.

    :param scheme: ``light`` or ``dark``. :param width: of the window, in pixels.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = name.replace("_", "-").lower()
    path = FOLDER / ("-".join(part for part in (name, scheme, str(width or "")) if part) + ".png")
    page.screenshot(path=path, full_page=full_page, animations="disabled")

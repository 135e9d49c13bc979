"""The documentation's pictures, which tests take. ``make pictures`` takes them anew, into docs/pictures."""

import os
from pathlib import Path

from playwright.sync_api import Page

from .samples import REPOSITORY

PICTURES = REPOSITORY / "docs" / "pictures"
LARGEST = 60_000  # bytes


def take_picture(page: Page, name: str, width: int = 760, height: int = 420) -> None:
    """A small picture of what a browser shows now.

    :param name: the file's, in docs/pictures, where a page of the documentation shows it.
    """
    folder = Path(os.environ.get("COBOT_OIDC_TEST_PICTURES") or REPOSITORY / "build" / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": width, "height": height})
    picture = page.screenshot(path=folder / name, animations="disabled")
    assert len(picture) < LARGEST, f"{name} has {len(picture)} bytes; make it smaller"
    assert (PICTURES / name).exists(), f"make pictures: {name} is not in docs/pictures"

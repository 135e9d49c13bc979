"""Debian's ``glewlwyd``: a whole provider in C, with an administration of its own and pages in React."""

import gzip
import sys
from pathlib import Path

from playwright.sync_api import Page

from ...environments import from_debian
from ...pages import Step, click, fill
from ...provider import Provider
from ...world import World

SOURCE = Path(__file__).parent
OF_ITS_PAGES = ("libjs-jquery", "libjs-bootstrap4", "libjs-popper.js", "fonts-fork-awesome")
SCOPES = "input[id^=grant-]"


def _version(folder: Path) -> str:
    with gzip.open(folder / "usr/share/doc/glewlwyd/changelog.Debian.gz", "rt", encoding="utf-8") as changes:
        return changes.readline().partition("(")[2].partition("-")[0]


def _log_in(world: World) -> tuple[Step, ...]:
    person = world.person
    return (
        fill({"#username": person.login, "#password": person.password}, then="#loginbut"),
        Step(SCOPES, _grant),
        click("button:has(.fa-play)"),
    )


def _grant(page: Page) -> None:
    for scope in page.locator(SCOPES).all():
        scope.check()
    page.click("button:text-is('Grant access')")


GLEWLWYD = Provider(
    name="glewlwyd",
    install=from_debian("glewlwyd", "glewlwyd-common", *OF_ITS_PAGES, "dbconfig-no-thanks"),
    locks=(Path(__file__),),
    version=_version,
    command=lambda world, folder: [sys.executable, str(SOURCE / "server.py"), str(world.file), str(folder)],
    log_in=_log_in,
    log_out=(click("button:has(.fa-sign-out-alt)"),),
    issuer_path="/api/oidc",
    wants_its_token_endpoint=True,
    refused={
        "EdDSA": "at_hash_mismatch",  # it hashes with SHA-256, and not with the SHA-512 of Ed25519
        "signed_userinfo": "audience_mismatch",  # the answer names no audience
    },
    not_offered={
        "cancel": "its pages have no way to cancel a login",
        "logout": "it ends its session, but its page does not lead back to the app",
    },
)

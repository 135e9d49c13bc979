"""Debian's ``lemonldap-ng``: a portal for single sign-on in Perl, widely used by public administrations."""

import gzip
import sys
from pathlib import Path

from ...environments import from_debian
from ...pages import Step, click, fill
from ...provider import Provider
from ...world import World

SOURCE = Path(__file__).parent
# What it loads without depending on it, and what the machine may have already, but is looked for below this folder.
OF_ITS_CODE = (
    *("libdbd-sqlite3-perl", "libgd-securityimage-perl", "libimage-magick-perl", "libio-string-perl"),
    "libstring-random-perl",
)
OF_ITS_PAGES = ("libjs-jquery", "libjs-jquery-ui", "libjs-jquery-cookie", "libjs-bootstrap4", "libjs-popper.js")
ACCEPT = "button.positive"


def _version(folder: Path) -> str:
    described = folder / "usr/share/doc/liblemonldap-ng-portal-perl"
    with gzip.open(described / "changelog.Debian.gz", "rt", encoding="utf-8") as changes:
        return changes.readline().partition("(")[2].partition("+")[0]


def _log_in(world: World) -> tuple[Step, ...]:
    return (*_fill_in(world), click(ACCEPT))


def _cancel(world: World) -> tuple[Step, ...]:
    return (*_fill_in(world), click("button#refuse"))


def _fill_in(world: World) -> tuple[Step, ...]:
    person = world.person
    return (
        fill({"input[name=user]": person.login, "input[name=password]": person.password}, then="button[type=submit]"),
    )


LEMONLDAP_NG = Provider(
    name="lemonldap-ng",
    install=from_debian("liblemonldap-ng-portal-perl", *OF_ITS_CODE, *OF_ITS_PAGES),
    locks=(Path(__file__),),
    version=_version,
    command=lambda world, folder: [sys.executable, str(SOURCE / "server.py"), str(world.file), str(folder)],
    log_in=_log_in,
    cancel=_cancel,
    refused={"signed_userinfo": "issuer_mismatch"},  # the answer names neither its issuer nor its audience
    not_offered={"logout": "after its page for the consent, its logout leads to its own login form"},
)

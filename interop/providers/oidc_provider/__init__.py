"""npm ``oidc-provider``: certified by the OpenID Foundation. Its development pages take any password."""

import json
from pathlib import Path

from ...environments import NODE, from_npm
from ...pages import Step, click, fill
from ...provider import Provider
from ...world import World

SOURCE = Path(__file__).parent
LOGIN = "input[name=login]"
BUTTON = "button[type=submit]"


def _version(folder: Path) -> str:
    package = json.loads((folder / "node_modules" / "oidc-provider" / "package.json").read_text(encoding="utf-8"))
    return str(package["version"])


def _log_in(world: World) -> tuple[Step, ...]:
    person = world.person
    return (
        fill({LOGIN: person.login, "input[name=password]": person.password}, then=BUTTON),
        click("form:has(input[value=consent]) button"),
    )


OIDC_PROVIDER = Provider(
    name="oidc-provider",
    install=from_npm(SOURCE),
    locks=(SOURCE / "package-lock.json", SOURCE / "server.mjs"),
    version=_version,
    command=lambda world, folder: [str(NODE), str(folder / "server.mjs"), str(world.file)],
    log_in=_log_in,
    cancel=lambda _world: (click("a[href$='/abort']"),),
    log_out=(click("button[name=logout]"),),
    settings={"USERINFO": True},  # its id tokens hold the subject alone, as Core 5.4 has it for the code flow
)

"""PyPI ``canaille``: an identity provider with an account management of its own, on Flask and Authlib."""

from pathlib import Path

from ...environments import from_pypi, python, version_on_pypi
from ...pages import Step, click, fill
from ...provider import Provider
from ...world import World

SOURCE = Path(__file__).parent
NEXT = "form button[type=submit]"


def _log_in(world: World) -> tuple[Step, ...]:
    return (*_fill_in(world), click("#accept"))


def _cancel(world: World) -> tuple[Step, ...]:
    return (*_fill_in(world), click("#deny"))


def _fill_in(world: World) -> tuple[Step, ...]:
    person = world.person
    return (
        fill({"input[name=login]": person.login}, then=NEXT),
        fill({"input[name=password]": person.password}, then=NEXT),
    )


CANAILLE = Provider(
    name="canaille",
    install=from_pypi(SOURCE),
    locks=(SOURCE / "requirements.txt",),
    version=lambda folder: version_on_pypi(folder, "canaille"),
    command=lambda world, folder: [python(folder), str(SOURCE / "server.py"), str(world.file)],
    log_in=_log_in,
    cancel=_cancel,
    log_out=(click("button#logout"),),
    wants_its_token_endpoint=True,
)

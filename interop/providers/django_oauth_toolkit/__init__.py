"""PyPI ``django-oauth-toolkit``: Django's own login page, and the toolkit's consent and logout pages."""

from pathlib import Path

from ...environments import from_pypi, python, version_on_pypi
from ...pages import Step, click, fill
from ...provider import Provider
from ...world import World

SOURCE = Path(__file__).parent
USERNAME = "input[name=username]"


def _log_in(world: World) -> tuple[Step, ...]:
    return (_fill_in(world), click("#authorizationForm input[name=allow]"))


def _cancel(world: World) -> tuple[Step, ...]:
    return (_fill_in(world), click("#authorizationForm input[type=submit]:not([name])"))


def _fill_in(world: World) -> Step:
    person = world.person
    fields = {USERNAME: person.login, "input[name=password]": person.password}
    return fill(fields, then="#login-form input[type=submit]")


DJANGO_OAUTH_TOOLKIT = Provider(
    name="django-oauth-toolkit",
    install=from_pypi(SOURCE),
    locks=(SOURCE / "requirements.txt",),
    version=lambda folder: version_on_pypi(folder, "django-oauth-toolkit"),
    command=lambda world, folder: [python(folder), str(SOURCE / "server.py"), str(world.file)],
    log_in=_log_in,
    cancel=_cancel,
    log_out=(click("#authorizationForm input[name=allow]"),),
    issuer_path="/o",
    refused={"cancel": "response_issuer_missing"},  # the document promises iss, and a refusal comes without
)

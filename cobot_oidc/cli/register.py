"""``flask cobot register``: dynamic client registration (RFC 7591), and the configuration that comes of it.

The configuration alone goes to stdout, so that it can be appended to a file; everything that is said to people goes to
stderr. The client's secret is nowhere but in the configuration.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import click
from flask import Config

from .. import settings_checks as check
from ..errors import CobotOIDCError, ConfigurationError
from ..issuers import hosts_of_spaces
from ..protocol.client import Client
from ..protocol.registration import RegistrationRequest, RegistrationResponse
from ..settings import COBOT_ISSUER, COBOT_SPACE_ISSUER, TABLE, ProviderSettings, check_callback
from ..settings_mistakes import PREFIX
from ..settings_table import rows
from .environment import line
from .outcome import Outcome

_DEFAULT = {row.name: row.default for row in TABLE}
_LONGEST_NAME = 200  # characters


def _of_the_app(setting: str) -> dict[str, Any]:
    """An option that the app's environment may already say, as Flask's program reads its ``.env`` file.

    Otherwise a client could be registered at Cobot for an app that is set up to ask somebody else.
    """
    return {"envvar": f"FLASK_{PREFIX}{setting}", "show_envvar": True}


def _checked(setting: check.Check[Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback that checks an option as the app will check the setting."""

    def read(_context: click.Context, _option: click.Parameter, value: Any) -> Any:
        try:
            return setting.read(value)
        except check.Unfit as unfit:
            raise click.BadParameter("; ".join(filter(None, (f"expected {unfit.expected}", unfit.remedy)))) from None

    return read


def _name(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > _LONGEST_NAME:
        raise click.BadParameter(f"expected 1 to {_LONGEST_NAME} printable characters")
    return value


@click.command("register")
@click.option("--name", required=True, callback=_name, help="The app's name, which people read when they log in.")
@click.option(
    "--redirect-uri",
    required=True,
    **_of_the_app("REDIRECT_URI"),
    callback=_checked(check.redirect_uri),
    help="The URL of the app's callback, such as https://your-app.example/cobot/callback.",
)
@click.option(
    "--issuer",
    default=COBOT_ISSUER,
    show_default=True,
    **_of_the_app("ISSUER"),
    callback=_checked(check.issuer),
    help="The provider.",
)
@click.option(
    "--scope",
    **_of_the_app("SCOPES"),
    default=" ".join(_DEFAULT["scopes"]),
    show_default=True,
    callback=_checked(check.scopes),
    help="The scopes that the app asks for, with spaces between them.",
)
@click.option("--public", is_flag=True, help="Register a client without a secret, which only PKCE protects.")
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    **_of_the_app("ALLOWED_HOSTS"),
    callback=_checked(check.allowed_hosts),
    help="A host that the provider's endpoints may be on besides its own. May be repeated.",
)
@click.option(
    "--url-prefix",
    default=_DEFAULT["url_prefix"],
    show_default=True,
    **_of_the_app("URL_PREFIX"),
    callback=_checked(check.url_prefix),
    help="The path that the app's routes begin with.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for app.config.from_file instead of lines for .env.")
@click.option(
    "--show-access-token",
    is_flag=True,
    help="Print the registration access token too, with which the registration can be changed (RFC 7592).",
)
def command(
    name: str,
    redirect_uri: str,
    issuer: str,
    scope: tuple[str, ...],
    public: bool,
    allowed_hosts: tuple[str, ...],
    url_prefix: str,
    as_json: bool,
    show_access_token: bool,
) -> None:
    """Register this app as a client at the provider, and print its configuration.

    \b
    flask cobot register --name "My app" --redirect-uri https://your-app.example/cobot/callback >> .env
    """
    try:
        check_callback(redirect_uri, url_prefix)
    except ConfigurationError as error:
        raise click.BadParameter(f"expected {error.details['expected']}", param_hint="--redirect-uri") from None
    asked = RegistrationRequest(name, redirect_uri, scope, "none" if public else "client_secret_post")
    answer, client = _registered(issuer, allowed_hosts, asked)
    outcome = Outcome(asked, answer, client, url_prefix, _DEFAULT["scopes"])
    settings = {
        "CLIENT_ID": client.client_id,
        "CLIENT_SECRET": client.client_secret,
        "CLIENT_AUTH": "client_secret_basic" if client.authentication == "client_secret_basic" else None,
        "REDIRECT_URI": outcome.redirect_uri,
        "ISSUER": issuer if issuer != COBOT_ISSUER else None,
        "ALLOWED_HOSTS": " ".join(allowed_hosts),
        "SCOPES": " ".join(outcome.scopes) if outcome.scopes != _DEFAULT["scopes"] else None,
        "URL_PREFIX": url_prefix if url_prefix != _DEFAULT["url_prefix"] else None,
    }
    configuration = {f"{PREFIX}{name}": value for name, value in settings.items() if value}
    _print(configuration, outcome.access if show_access_token else {}, as_json)
    for sentence in (*outcome.differences(), *outcome.about_secrets(), *outcome.unknown()):
        click.echo(f"- {sentence}", err=True)
    if answer.access_token is not None and not show_access_token:
        click.echo(
            "- The provider also issued a registration access token, which can change or delete the registration. It "
            "was neither shown nor saved; --show-access-token would have shown it.",
            err=True,
        )


def _print(configuration: dict[str, str], access: dict[str, str], as_json: bool) -> None:
    """The configuration, with what can change the registration as far as the app does not read it."""
    if as_json:
        click.echo(json.dumps(configuration | access, indent=2))  # Flask reads names in capitals alone
        return
    for key, value in configuration.items():
        click.echo(line(key, value))
    for key, value in access.items():
        click.echo(f"# {key}: {value}")


def _registered(
    issuer: str, allowed_hosts: tuple[str, ...], asked: RegistrationRequest
) -> tuple[RegistrationResponse, Client]:
    from ..provider.registration import Registrar  # not for --help: it imports requests and cryptography

    # Without option, those that the app will have by default.
    allowed_hosts = allowed_hosts or (hosts_of_spaces(COBOT_SPACE_ISSUER) if issuer == COBOT_ISSUER else ())
    was_asked = False
    try:
        # There is no app yet that could have a clock of its own.
        registrar = Registrar(issuer, allowed_hosts, _provider_settings(), time.time)
        endpoint = registrar.endpoint()
        click.echo(f"Registering {asked.name!r} at {endpoint}", err=True)
        was_asked = True
        answer = registrar.register(endpoint, asked)
        return answer, answer.client(asked)
    except CobotOIDCError as error:
        message = str(error)
        if was_asked and error.code != "registration_refused":
            message += "\nThe provider may have registered a client nevertheless: look there before you try again."
    raise click.ClickException(message)  # outside of the handler: no traceback has frames with a secret (L02)


def _provider_settings() -> ProviderSettings:
    """How the app will call providers, as far as its environment already says so: proxies, certificates, timeouts."""
    config = Config("")
    config.from_prefixed_env()
    return ProviderSettings(**{row.name: row.read(config, {}) for row in rows(ProviderSettings)})

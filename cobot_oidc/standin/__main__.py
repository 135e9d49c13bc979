"""``python -m cobot_oidc.standin``: the stand-in on a port of its own, until Ctrl-C."""

import json
import re
import secrets
import shlex
import threading
from urllib.parse import urljoin

import click

from .server import StandIn


@click.command(help="Run the stand-in Cobot on this machine, for demos and tests. Do not use it in production.")
@click.option(
    "--port",
    default=5001,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port on the loopback; 0 for any free one.",
)
@click.option("--client-id", default="demo", show_default=True)
@click.option("--client-secret", default="demo-secret", show_default=True, help="Empty for a public client.")
@click.option("--redirect-uri", default="http://localhost:5000/cobot/callback", show_default=True)
def main(port: int, client_id: str, client_secret: str, redirect_uri: str) -> None:
    stand_in = StandIn(port)
    stand_in.register_client(client_id, secret=client_secret or None, redirect_uri=redirect_uri, name=client_id)
    try:
        stand_in.start()
    except OSError as error:
        raise click.ClickException(f"Port {port} is taken. Choose another with --port.") from error
    try:
        _introduce(stand_in, client_id, client_secret, redirect_uri)
        threading.Event().wait()
    except KeyboardInterrupt:
        stand_in.stop()


def _introduce(stand_in: StandIn, client_id: str, client_secret: str, redirect_uri: str) -> None:
    click.echo("The stand-in Cobot is running. It is not Cobot, and it only answers on this machine.\n")
    click.echo("Put these lines into a file .env beside your app, where `flask run` reads them.\n")
    for name, value in _environment(stand_in, client_id, client_secret, redirect_uri).items():
        click.echo(f"{name}={_quoted(value)}")
    click.echo(f"\nThen start your app, and open {urljoin(redirect_uri, '/')}")
    click.echo(f"To make the stand-in misbehave, open {stand_in.issuer}/stand-in")
    click.echo("Press Ctrl-C to stop it. It then forgets all changes.")


def _environment(stand_in: StandIn, client_id: str, client_secret: str, redirect_uri: str) -> dict[str, str]:
    """What ``app.config.from_prefixed_env()`` needs to find, for an app that logs in here."""
    environment = {
        "FLASK_SECRET_KEY": secrets.token_hex(),
        "FLASK_COBOT_OIDC_CLIENT_ID": _as_text(client_id),
        "FLASK_COBOT_OIDC_CLIENT_SECRET": _as_text(client_secret),
        "FLASK_COBOT_OIDC_REDIRECT_URI": redirect_uri,
        "FLASK_COBOT_OIDC_ISSUER": stand_in.issuer,
        "FLASK_COBOT_OIDC_SPACE_ISSUER": stand_in.space_issuer_template,
        "FLASK_COBOT_OIDC_SPACES": " ".join(stand_in.spaces),
    }
    if not client_secret:
        del environment["FLASK_COBOT_OIDC_CLIENT_SECRET"]
    return environment


def _as_text(value: str) -> str:
    """A value that Flask, which reads JSON, reads as text: digits need double quotes."""
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def _quoted(value: str) -> str:
    """A value in the form that both a shell and a .env file understand."""
    if re.fullmatch(r"[\w@%+=:,./{} -]+", value):
        return f'"{value}"' if " " in value else value
    return shlex.quote(value)


if __name__ == "__main__":
    main()

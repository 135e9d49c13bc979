"""The app that ``flask`` was told to load, and what the commands need of it."""

from collections.abc import Mapping
from typing import NamedTuple

import click
from flask import Flask
from flask.cli import ScriptInfo

from ..errors import ConfigurationError
from ..installation import Installation, installation
from ..issuers import Registration


class Loaded(NamedTuple):
    """An app with the extension.

    :ivar path: where Flask was told to find the app; ``None`` if it looked by itself.
    :ivar can_be_loaded_again: whether another process would find the app in the same way.
    """

    app: Flask
    installed: Installation
    path: str | None
    can_be_loaded_again: bool


def loaded(context: click.Context) -> Loaded:
    """Load the app.

    :raises ConfigurationError: if the extension refuses the app's settings, or is not installed.
    :raises click.UsageError: if there is no app.
    """
    info = context.ensure_object(ScriptInfo)
    app = info.load_app()
    return Loaded(app, installation(app), info.app_import_path, info.create_app is None)


def loaded_or_exit(context: click.Context) -> Loaded:
    """Load the app for a command that is of no use without it."""
    try:
        return loaded(context)
    except ConfigurationError as error:
        message = str(error)
    raise click.ClickException(f"{message}\n`flask cobot check` shows all of this line by line.")


def registration_or_exit(found: Loaded, space: str | None) -> Registration:
    """How the app is registered at the issuer of this space."""
    with found.app.app_context():  # an app's own function may ask its database
        registration = found.installed.settings.issuers.registration_of(space)
    if registration is None:
        raise click.BadParameter(f"the app does not serve {space!a}; see COBOT_OIDC_SPACES", param_hint="SPACE")
    return registration


def proxy_fix_of(app: Flask) -> Mapping[str, int] | None:
    """What ``ProxyFix`` trusts, by the name of its argument; ``None`` if the app is not wrapped in it."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    layer: object = app.wsgi_app
    for _ in range(20):  # a chain of middlewares that keep what they wrap as ``app``, as Werkzeug's do
        if isinstance(layer, ProxyFix):
            return {name: getattr(layer, name) for name in ("x_for", "x_proto", "x_host", "x_port", "x_prefix")}
        layer = getattr(layer, "app", None)
    return None

"""The portal's addresses: whether a space is named in the path or in the host, and the links that follow from it.

By path, co.up's bookings are at ``/co-up/bookings``. By host (``PORTAL_HOST="portal.example"``), they are at
``co-up.portal.example/space/bookings``, and ``portal.example`` belongs to no space. All hosts share one callback and
one session.
"""

from typing import Any

from flask import Blueprint, Flask, abort, current_app, request, url_for
from werkzeug.routing import BaseConverter

from cobot_oidc import CobotOIDC, current_space, from_host

from .extensions import oidc


class Id(BaseConverter):
    """What Cobot names a thing by. Cobot is asked for nothing else: whatever somebody types is no page of ours."""

    regex = "[A-Za-z0-9_-]{1,100}"


def init_app(app: Flask, pages: Blueprint) -> None:
    """Let the extension read the space where the app's configuration says, and put the pages of spaces there."""
    app.url_map.converters["id"] = Id
    host: str | None = app.config.setdefault("PORTAL_HOST", None)
    app.add_template_global(url_in_space)
    app.add_template_global(url_of_portal)
    if host is None:
        oidc.init_app(app)  # from the path, as extensions.py says
        app.register_blueprint(pages, url_prefix="/<space>")
        return
    name = host.partition(":")[0]
    app.config["TRUSTED_HOSTS"] = [f".{name}"]  # it and the hosts below it: links are made from what a browser sends
    app.config["SESSION_COOKIE_DOMAIN"] = name
    app.config.setdefault("COBOT_OIDC_REDIRECT_URI", f"{_scheme(host)}://{host}/cobot/callback")
    CobotOIDC(app, space=from_host(name))
    app.register_blueprint(pages, url_prefix="/space")
    app.url_value_preprocessor(_give_space_to_views)


def named_space() -> str | None:
    """The space that the host of this request names, which this portal may not serve; ``None`` by path.

    Cobot's own pages about all spaces call themselves ``www``, and so may the host that they show in a frame.
    """
    host = current_app.config["PORTAL_HOST"]
    label = None if host is None else from_host(host.partition(":")[0])()
    return None if label == "www" else label


def url_in_space(page: str, space: str | None = None, /, **values: Any) -> str:
    """The address of a page of a space, such as ``home``.

    :param space: by default the one of this request.
    """
    space = space or current_space() or ""
    if current_app.config["PORTAL_HOST"] is None:
        return url_for(f"space.{page}", space=space, **values)
    path = url_for(f"space.{page}", **values)
    return path if space == current_space() else _at(space, path)


def path_in_space(page: str, space: str) -> str:
    """The path alone, which the extension completes with the host after a login."""
    if current_app.config["PORTAL_HOST"] is None:
        return url_for(f"space.{page}", space=space)
    return url_for(f"space.{page}")


def url_of_portal(endpoint: str, **values: Any) -> str:
    """The address of a page that belongs to no space."""
    path = url_for(endpoint, **values)
    return path if named_space() is None else _at(None, path)


def _give_space_to_views(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if endpoint is not None and endpoint.startswith("space.") and values is not None:
        space = named_space()
        if space is None:
            abort(404)
        values["space"] = space  # the guard says whether there is such a space


def _at(space: str | None, path: str) -> str:
    host = current_app.config["PORTAL_HOST"]
    return f"{request.scheme}://{f'{space}.' if space else ''}{host}{path}"


def _scheme(host: str) -> str:
    name = host.partition(":")[0]
    return "http" if name == "localhost" or name.endswith(".localhost") else "https"

"""Where the browser goes: the callback's own URL, the way to a login, and the place afterwards.

Nothing here is taken from a header that nobody has validated (security.md R06).
"""

from string import printable
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from flask import current_app, request, url_for
from werkzeug.routing import BuildError

from .errors import ConfigurationError, LoginError
from .installation import installation
from .protocol.discovery import is_loopback
from .protocol.redirects import safe_next
from .spaces import HostLabel

_LOGIN = "cobot_oidc.login"
_OF_A_LOGIN = ("next", "prompt", "login_hint", "ui_locales", "max_age")


def redirect_uri(callback: str | None = None) -> str:
    """The absolute URL of a callback: as configured, or built from a host that is known to be the app's own.

    :param callback: the space whose own callback it is; ``None`` for the common one.
    :raises ConfigurationError: ``redirect_uri_unknown`` where nothing vouches for the request's host,
        ``https_required`` for http outside the loopback.
    """
    settings = installation().settings
    common = settings.redirect_uri or _built_redirect_uri(settings.url_prefix)
    return common if callback is None else f"{common}/{callback}"


def _built_redirect_uri(url_prefix: str) -> str:
    host = _trusted_host()
    if request.scheme != "https" and not is_loopback(_name_of(host)):
        raise ConfigurationError("https_required", host=host)
    return f"{request.scheme}://{host}{request.root_path}{url_prefix}/callback"


def check_prefix() -> None:
    """The path that the app is mounted at is a plain one; each URL of ours begins with it.

    ProxyFix takes it from a header that not every proxy sets itself: ``//evil.example`` would lead away from here.

    :raises LoginError: ``prefix_malformed``.
    """
    if not _has_plain_prefix():
        raise LoginError("prefix_malformed", prefix=request.root_path)


def home() -> str:
    """The app's own start page."""
    return f"{request.root_path}/" if _has_plain_prefix() else "/"


def _has_plain_prefix() -> bool:
    path = quote(request.root_path, safe=printable)  # beyond ASCII any character may be in a path
    return safe_next(f"{path}/") is not None and "?" not in path and "#" not in path


def callback_is_secure() -> bool:
    """Whether the browser reaches the callback over https; its cookies are named and marked after that."""
    configured = installation().settings.redirect_uri
    return request.is_secure if configured is None else configured.startswith("https://")


def login_at_callback_host() -> str | None:
    """The login's URL on the callback's host, where its cookie has to be; ``None`` if the browser is there already."""
    settings = installation().settings
    if settings.redirect_uri is None or "at" in request.args:
        return None
    url = urlsplit(settings.redirect_uri)
    if url.netloc == request.host:
        return None
    # ``at`` ends the way behind a proxy that hides the host from the app.
    # Only what a login knows: ``url_for`` takes orders of its own in names such as ``_external``.
    values: dict[str, Any] = {name: request.args[name] for name in _OF_A_LOGIN if name in request.args}
    path = url_for("cobot_oidc.login", space=_space_argument(), **values, at="callback")
    return f"{url.scheme}://{url.netloc}{path}"


def offer_login(space: str | None, next_path: str | None) -> None:
    """Should this request fail, let its answer lead to a login of this space that goes on to the same place."""
    request.environ[_LOGIN] = {"space": space, "next": next_path}


def login_url() -> str | None:
    """Where a person can log in and go on; ``None`` where this request has to do with no login of a known space."""
    login = request.environ.get(_LOGIN)
    return url_for("cobot_oidc.login", **login) if login is not None else None


def after_login(next_path: str | None, space: str | None) -> str:
    """Where to go after a login: to ``next`` where that is a page of this app, else to ``AFTER_LOGIN``.

    With spaces in host names, the page is on the space's own host.
    """
    path = checked_next(next_path) or _configured(installation().settings.after_login, "AFTER_LOGIN")
    reader = installation().read_space
    if isinstance(reader, HostLabel) and reader.host(space) != request.host:
        return f"{request.scheme}://{reader.host(space)}{path}"
    return path


def after_logout() -> str:
    """Where to go after a logout."""
    return _configured(installation().settings.after_logout, "AFTER_LOGOUT")


def checked_next(value: str | None) -> str | None:
    """The value, if it is a path on our own origin and none of our own three routes (security.md R01-R05)."""
    path = safe_next(value)
    if path is None:
        return None
    plain = unquote(urlsplit(path).path).rstrip("/")
    own = {url_for(f"cobot_oidc.{endpoint}") for endpoint in ("login", "callback", "logout")}
    return None if plain in own or plain.startswith(url_for("cobot_oidc.callback") + "/") else path


def is_same_origin() -> bool:
    """Whether the browser says that a page of ours sent this request; false where it says nothing (security.md O01)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    own = {f"{request.scheme}://{request.host}"}
    configured = installation().settings.redirect_uri
    if configured is not None:
        own.add("{0.scheme}://{0.netloc}".format(urlsplit(configured)))
    return request.headers.get("Origin") in own


def _configured(place: str, key: str) -> str:
    if place.startswith("/"):
        return request.root_path + place
    try:
        return url_for(place)
    except BuildError:
        expected = "a path, or an endpoint that needs no values"
        raise ConfigurationError(
            "setting_invalid", setting=f"COBOT_OIDC_{key}", found=place, expected=expected
        ) from None


def _trusted_host() -> str:
    server_name = current_app.config.get("SERVER_NAME")
    if request.trusted_hosts or is_loopback(_name_of(request.host)):
        return request.host
    if server_name:
        return str(server_name)
    raise ConfigurationError("redirect_uri_unknown", host=request.host)


def _name_of(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def _space_argument() -> str | None:
    reader = installation().read_space
    return request.args.get("space") or (reader() if isinstance(reader, HostLabel) else None)

"""Where the browser goes: the callback's own URL, the way to a login, and the place afterwards.

Nothing here is taken from a header that nobody has validated (R06).
"""

from collections.abc import Callable, Mapping
from string import printable
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from flask import current_app, request, url_for
from werkzeug.routing import BuildError
from werkzeug.urls import iri_to_uri

from .embed.frames import in_frame
from .errors import ConfigurationError, LoginError
from .events import logger
from .identity.current import current_users, pin_space, requested_user
from .identity.user import User
from .installation import installation
from .protocol.redirects import safe_next
from .protocol.urls import is_loopback
from .spaces import HostLabel, ViewArgument

_LOGIN = "cobot_oidc.login"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_TWO_NAMES = "localhost and 127.0.0.1 are different sites"
_OF_A_LOGIN = ("next", "grant", "prompt", "login_hint", "ui_locales", "max_age")


def redirect_uri(callback: str | None = None) -> str:
    """The absolute URL of a callback: as configured, or built from a host that is known to be the app's own.

    :param callback: the space whose own callback it is; ``None`` for the common one.
    :raises ConfigurationError: ``redirect_uri_unknown`` if nothing vouches for the request's host,
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


def _has_plain_prefix() -> bool:
    path = quote(request.root_path, safe=printable)  # beyond ASCII any character may be in a path
    return safe_next(f"{path}/") is not None and "?" not in path and "#" not in path


def in_frame_instead() -> str:
    """The page for a frame that leads where this login's URL would have led."""
    values: dict[str, Any] = {name: request.args[name] for name in ("next", "grant") if name in request.args}
    return url_for("cobot_oidc.embedded", space=_space_argument(), **values)


def login_at_callback_host() -> str | None:
    """The login's URL on the callback's host, where its cookie has to be; ``None`` if the browser is there already."""
    settings = installation().settings
    if "at" in request.args:
        return None
    name = _name_of(request.host)
    if settings.redirect_uri is None:
        if name in _THIS_MACHINE and name != "localhost":
            registered = f"the redirect URI of this login is {redirect_uri()}, which has to be registered so"
            _warn_of_another_place(registered, _TWO_NAMES)
        return None
    url = urlsplit(settings.redirect_uri)
    if url.netloc == request.host:
        return None
    if name in _THIS_MACHINE and url.hostname in _THIS_MACHINE:
        goes_on = f"the login goes on at {url.netloc}, where COBOT_OIDC_REDIRECT_URI is, and ends there"
        if name == url.hostname:
            _warn_of_another_place(goes_on, "if nothing answers there, change the app's port, or that setting")
        else:
            _warn_of_another_place(goes_on, _TWO_NAMES)
    # ``at`` ends the way behind a proxy that hides the host from the app.
    # Only what a login knows: ``url_for`` takes orders of its own in names such as ``_external``.
    values: dict[str, Any] = {name: request.args[name] for name in _OF_A_LOGIN if name in request.args}
    path = url_for("cobot_oidc.login", space=_space_argument(), **values, at="callback")
    return f"{url.scheme}://{url.netloc}{path}"


class Destination(NamedTuple):
    """Where a login leads.

    :ivar space: the space to log in to; ``None`` for the global provider.
    :ivar next: the path of ours that the browser goes to afterwards; ``None`` for the configured place.
    :ivar grant: the scopes that a view asks for, sealed; ``None`` for the configured ones alone.
    """

    space: str | None
    next: str | None = None
    grant: str | None = None


def offer_login(destination: Destination) -> None:
    """Should this request fail, let its answer lead to a login that goes on to the same place."""
    request.environ[_LOGIN] = destination


def this_page() -> str | None:
    """The path of this request, to come back to after a login; ``None`` for a form that was posted, which is lost."""
    if request.method not in ("GET", "HEAD"):
        return None
    return safe_next(request.root_path + request.full_path.removesuffix("?"))


def login_url() -> str | None:
    """Where a person can log in and go on; ``None`` if this request has to do with no login of a known space."""
    destination: Destination | None = request.environ.get(_LOGIN)
    if destination is None:
        return None
    return url_for(
        "cobot_oidc.embedded" if in_frame() else "cobot_oidc.login",
        space=_named_for_a_login(destination.space),
        next=destination.next,
        grant=destination.grant,
    )


def after_login(destination: Destination) -> str:
    """Where to go after a login: to ``next`` if that is a page of this app, else to ``AFTER_LOGIN``.

    With spaces in host names, the page is on the space's own host, with scheme and port of the callback: behind a proxy
    the request's own may be others than the browser's.
    """
    space = destination.space
    path = checked_next(destination.next) or _after_login(space)
    reader = installation().read_space
    if not isinstance(reader, HostLabel):
        return path
    callback = urlsplit(redirect_uri())
    host = reader.host(space, callback)
    return path if host == request.host else f"{callback.scheme}://{host}{path}"


def after_login_again() -> str:
    """Where to go if the answer of a login that ended already comes again: as after the browser's latest login."""
    latest = next(reversed(current_users()), None)
    space = latest.space if latest is not None else None
    pin_space(space)
    return after_login(Destination(space))


def after_logout(space: str | None = None) -> str:
    """Where to go after a logout: to ``AFTER_LOGOUT``, or to the page that says so. It never fails.

    :param space: the one that somebody logged out of; ``None`` for all.
    """
    place = installation().settings.after_logout
    if place is not None:
        try:
            return _configured(place, "AFTER_LOGOUT")
        except ConfigurationError as error:  # who has logged out is told so, not that something failed
            logger.error("a logout ended at our own page: %s", error)
    return url_for("cobot_oidc.logged_out", space=space)


def start_page() -> str:
    """The root of this app."""
    return f"{request.root_path}/" if _has_plain_prefix() else "/"


def style_url() -> str | None:
    """The stylesheet of our pages; ``None`` if the path that the app is mounted at would lead elsewhere."""
    return url_for("cobot_oidc.static", filename="pages.css") if _has_plain_prefix() else None


def script_url() -> str | None:
    """The script of our pages for frames; ``None`` as for ``style_url``."""
    return url_for("cobot_oidc.static", filename="frame.js") if _has_plain_prefix() else None


def checked_next(value: str | None) -> str | None:
    """The value, if it is a path on our own origin and none of our own routes (R01-R05)."""
    path = safe_next(value)
    if path is None:
        return None
    plain = unquote(urlsplit(path).path).rstrip("/")
    own = {url_for(f"cobot_oidc.{endpoint}") for endpoint in ("login", "callback", "logout", "logged_out")}
    return None if plain in own or plain.startswith(url_for("cobot_oidc.callback") + "/") else path


def is_same_origin() -> bool:
    """Whether the browser says that a page of ours sent this request; false if it says nothing (O01)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    own = {f"{request.scheme}://{request.host}"}
    configured = installation().settings.redirect_uri
    if configured is not None:  # behind a proxy the browser may use another scheme than the one that arrives here
        url = urlsplit(configured)
        own |= {f"{url.scheme}://{url.netloc}", f"{url.scheme}://{request.host}"}
    return request.headers.get("Origin") in own


def _after_login(space: str | None) -> str:
    place = installation().settings.after_login
    if not isinstance(place, str):
        return _chosen(place)
    argument = _space_argument_of(place)
    try:
        return _configured(place, "AFTER_LOGIN", {argument: space} if argument and space else {})
    except ConfigurationError:
        if argument is None or space is not None:
            raise
        return start_page()  # a login at no space, and each page of this endpoint is a space's


def _chosen(choose: Callable[[User], str]) -> str:
    """The page that the app's function names for who logged in; checked, as it may have taken it from a request."""
    user = requested_user()
    if not user.is_authenticated:  # an answer that came again, and a login that has expired since
        return start_page()
    place = choose(user)
    path = checked_next(_as_uri(place))
    if path is None:
        expected = "a function of the user that returns a path on this app, such as url_for('home')"
        raise ConfigurationError("setting_invalid", setting="COBOT_OIDC_AFTER_LOGIN", found=place, expected=expected)
    return path


def _as_uri(place: object) -> str | None:
    """What an app's function returned, as a header takes it: ``url_for`` leaves letters beyond ASCII as they are."""
    return iri_to_uri(place) if isinstance(place, str) else None


def _space_argument_of(endpoint: str) -> str | None:
    """The variable part by which the endpoint's URL rule takes the space; ``None`` if it takes none."""
    reader = installation().read_space
    if reader is None or isinstance(reader, HostLabel):
        return None
    rules = [rule for rule in current_app.url_map.iter_rules() if rule.endpoint == endpoint]
    arguments = {argument for rule in rules for argument in rule.arguments}
    if isinstance(reader, ViewArgument):
        return reader.name if reader.name in arguments else None
    return arguments.pop() if len(arguments) == 1 else None


def _configured(place: str, key: str, values: Mapping[str, Any] = MappingProxyType({})) -> str:
    if place.startswith("/"):
        return request.root_path + place
    try:
        return url_for(place, **values)
    except BuildError:
        expected = "a path, or an endpoint that needs no values" + (" but the space" if key == "AFTER_LOGIN" else "")
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


def _warn_of_another_place(what_follows: str, hint: str) -> None:
    """People who develop on this machine easily overlook its other name, or another port."""
    logger.warning("opened at %s: %s; %s", request.host, what_follows, hint)


def _name_of(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def _named_for_a_login(space: str | None) -> str | None:
    """The space as the login's URL has to name it: empty for none, if that URL itself might name one by its host."""
    reader = installation().read_space
    if space is not None or reader is None or isinstance(reader, ViewArgument):
        return space
    if isinstance(reader, HostLabel):
        return "" if reader() is not None else None
    return ""


def _space_argument() -> str | None:
    if "space" in request.args:
        return request.args["space"]
    reader = installation().read_space
    return reader() if isinstance(reader, HostLabel) else None

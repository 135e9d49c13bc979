"""Our own cookies: their names, their attributes, and how they are read.

This is the only module that knows whether they are ``Secure``. Over https, their names have the prefix ``__Host-``,
which keeps sibling subdomains from setting them (RFC 6265bis section 4.1.3). Browsers require https for it, so on the
loopback there is no prefix. In a frame on another site they are ``Partitioned``, for no others are kept there.
"""

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from .embed.frames import in_frame
from .installation import installation

_PREFIX = "__Host-"
_READ = "cobot_oidc.cookies"


def values(name: str) -> list[str]:
    """The values that the browser sent under exactly this name; more than one if somebody else set one too.

    :param name: without prefix.
    """
    return _sent().get(_full_name(name), [])


def names() -> list[str]:
    """The names, without prefix, of all cookies that the browser sent and that could be ours, oldest first."""
    prefix = _full_name("")
    return [name.removeprefix(prefix) for name in _sent() if name.startswith(prefix)]


def are_sent() -> bool:
    """Whether the browser sent any cookie at all."""
    return bool(_sent())


def put(response: Response, name: str, value: str, *, max_age: int) -> None:
    """Set a cookie that scripts cannot read, and that other sites' requests do not carry.

    :param max_age: seconds.
    """
    response.set_cookie(_full_name(name), value, max_age=max_age, **_attributes())


def delete(response: Response, name: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(_full_name(name), **_attributes())


def _attributes() -> dict[str, Any]:
    framed = in_frame()
    return {
        "path": "/",
        "secure": _are_secure(),
        "httponly": True,
        "samesite": "None" if framed else "Lax",
        "partitioned": framed,
    }


def _are_secure() -> bool:
    """Whether the browser reaches the callback over https; what is kept in a frame has to be secure."""
    if in_frame():
        return True
    redirect_uri = installation().settings.redirect_uri
    return request.is_secure if redirect_uri is None else redirect_uri.startswith("https://")


def _full_name(name: str) -> str:
    return (_PREFIX if _are_secure() else "") + name


def _sent() -> dict[str, list[str]]:
    """Names and values as browsers send them (RFC 6265 section 5.4), read once for each request.

    They are read from the header itself: a library that strips more than blanks from a name would mistake a cookie that
    any sibling subdomain may set for one with our prefix (S13).
    """
    environ = request.environ
    header: str = environ.get("HTTP_COOKIE", "")
    read: tuple[str, dict[str, list[str]]] | None = environ.get(_READ)
    if read is None or read[0] != header:
        found: dict[str, list[str]] = {}
        for pair in header.split(";"):
            name, equals, value = pair.strip(" \t").partition("=")
            if equals:
                found.setdefault(name, []).append(value)
        read = environ[_READ] = (header, found)
    return read[1]

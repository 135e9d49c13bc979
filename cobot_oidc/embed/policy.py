"""What browsers are told about frames: who may show the app in one, and what requests from there may do."""

from urllib.parse import urlsplit

from flask import request
from werkzeug.wrappers import Response

from ..errors import LoginError
from ..failures import NEVER_FRAMED
from ..identity.current import current_space
from ..installation import installation
from ..urls import is_same_origin
from .context import embed
from .frames import in_frame

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")

_CSP, _COOP = "Content-Security-Policy", "Cross-Origin-Opener-Policy"


def refuse_cross_site() -> None:
    """A frame's cookies travel with requests that other sites' pages around it make: only our own may change something.

    :raises LoginError: ``frame_cross_site``.
    """
    if request.method not in SAFE_METHODS and in_frame() and not is_same_origin():
        raise LoginError("frame_cross_site", origin=request.headers.get("Origin", ""))


def allow_frames(response: Response) -> Response:
    """Let Cobot, and nobody else, show a page of the app in a frame; keep the windows of a login together.

    An app that names ``frame-ancestors`` itself knows better.
    """
    if request.endpoint in NEVER_FRAMED:
        response.headers.pop(_COOP, None)  # it would cut the window off from the frame that opened it
        return response
    policy = response.headers.get(_CSP, "")
    if "frame-ancestors" not in policy:
        allowed = f"frame-ancestors {' '.join(ancestors())}"
        response.headers[_CSP] = f"{policy.rstrip('; ')}; {allowed}" if policy else allowed
    response.headers.pop("X-Frame-Options", None)  # it knows no list of origins
    return response


def ancestors() -> list[str]:
    """The origins that may show this page: Cobot's own, and that of the space that the page or the frame belongs to."""
    issuers = installation().settings.issuers
    hint = embed()
    spaces = [None, current_space(), hint.space if hint is not None else None]
    origins = [_origin(issuer) for space in spaces if (issuer := issuers.issuer_of(space)) is not None]
    return list(dict.fromkeys(origins))


def _origin(issuer: str) -> str:
    url = urlsplit(issuer)
    return f"{url.scheme}://{url.netloc}"

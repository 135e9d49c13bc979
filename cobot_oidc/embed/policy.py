"""What browsers are told about frames: who may show the app in one, and what requests from there may do."""

from urllib.parse import urlsplit

from werkzeug.wrappers import Response

from ..context import the_request
from ..errors import LoginError
from ..failures import NEVER_FRAMED
from ..identity.current import space_of_the_page
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
    request = the_request()
    if request.routing_exception is not None:  # no view will run
        return
    if request.method not in SAFE_METHODS and in_frame() and not is_same_origin():
        raise LoginError("frame_cross_site", origin=request.headers.get("Origin", ""))


def allow_frames(response: Response) -> Response:
    """Let Cobot, and nobody else, show a page of the app in a frame; keep the windows of a login together.

    An app that names ``frame-ancestors`` itself knows better.
    """
    is_of_a_window = the_request().endpoint in NEVER_FRAMED
    if not any("frame-ancestors" in policy for policy in response.headers.getlist(_CSP)):
        allowed = "'none'" if is_of_a_window else " ".join(ancestors())
        response.headers.add(_CSP, f"frame-ancestors {allowed}")  # beside the app's own: both count
    if is_of_a_window:
        response.headers.pop(_COOP, None)  # it would cut the window off from the frame that opened it
        return response
    if response.headers.get("X-Frame-Options", "").upper() == "SAMEORIGIN":  # it knows no list; DENY is the app's word
        del response.headers["X-Frame-Options"]
    return response


def ancestors() -> list[str]:
    """The origins that may show this page: Cobot's own, and that of its space.

    A page of no space may be shown by the one that Cobot says it is in. Another space's page may not: whoever runs a
    space could write such an address (E06).
    """
    issuers = installation().settings.issuers
    hint = embed()
    spaces = [None, space_of_the_page() or (hint.space if hint is not None else None)]
    origins = [_origin(issuer) for space in spaces if (issuer := issuers.issuer_of(space)) is not None]
    return list(dict.fromkeys(origins))


def _origin(issuer: str) -> str:
    url = urlsplit(issuer)
    return f"{url.scheme}://{url.netloc}"

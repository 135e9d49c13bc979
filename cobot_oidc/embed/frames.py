"""Requests from a frame on another site, and the session that they have: partitioned, and valid nowhere else.

Browsers send no ``Lax`` cookie into such a frame, and let none be set there. Cookies that are ``Partitioned`` (CHIPS)
are kept for the frame below the site that shows it, and no page of its own ever sees them. They need to be ``Secure``.
"""

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from ..context import the_app, the_request
from ..errors import ConfigurationError
from ..installation import installation
from ..settings_mistakes import PREFIX

COOKIE = "cobot_oidc_frame"  # the frame's own, without prefix

_IN_THE_REQUEST = f"__Host-{COOKIE}="
_SESSION_COOKIE = "__Host-cobot_oidc_frame_session"
_KEPT = "_cobot_oidc_in_frame"
_FRAMES = ("iframe", "frame", "embed", "object")  # Sec-Fetch-Dest of a page in a frame


def in_frame() -> bool:
    """Whether this request comes from a frame on another site, if the app may be shown there at all.

    Determined once for each request: the session's cookie alone asks eight times. Kept as in ``identity.current``.
    """
    kept = the_request().__dict__
    framed: bool | None = kept.get(_KEPT)
    if framed is None:
        framed = kept[_KEPT] = installation().settings.embedded and _comes_from_a_frame()
    return framed


def _comes_from_a_frame() -> bool:
    """What the browser keeps for the app's own pages is ``Lax``, and never reaches a frame on another site.

    A page in a frame says so itself (Fetch Metadata); what its scripts ask for is known by the frame's own cookie.
    """
    environ = the_request().environ
    sent, destination = environ.get("HTTP_COOKIE", ""), environ.get("HTTP_SEC_FETCH_DEST")
    own = f"{the_app().config['SESSION_COOKIE_NAME']}="
    if any(pair.strip().startswith(own) for pair in sent.split(";")):
        return False  # it came along, so this is no other site: the app shows itself in a frame
    return destination in _FRAMES or (destination != "document" and _IN_THE_REQUEST in sent)


class FrameSessions(SecureCookieSessionInterface):
    """Flask's session cookie, and for requests from a frame one of the frame's own, signed with another salt."""

    @property
    def salt(self) -> str:  # type: ignore[override] # an attribute of the base class
        """The one becomes worthless in place of the other."""
        return "cobot-oidc-frame" if in_frame() else SecureCookieSessionInterface.salt

    def get_cookie_name(self, app: Flask) -> str:
        return _SESSION_COOKIE if in_frame() else super().get_cookie_name(app)

    def get_cookie_domain(self, app: Flask) -> str | None:
        return None if in_frame() else super().get_cookie_domain(app)

    def get_cookie_path(self, app: Flask) -> str:
        return "/" if in_frame() else super().get_cookie_path(app)

    def get_cookie_secure(self, app: Flask) -> bool:
        return in_frame() or super().get_cookie_secure(app)

    def get_cookie_samesite(self, app: Flask) -> str | None:
        return "None" if in_frame() else super().get_cookie_samesite(app)

    def get_cookie_partitioned(self, app: Flask) -> bool:
        return in_frame() or super().get_cookie_partitioned(app)


def check(app: Flask, store: type[SecureCookieSessionInterface] = SecureCookieSessionInterface) -> None:
    """What an app needs to be shown in a frame.

    :param store: the session store that it has: ``FrameSessions`` once ``init_app`` has set it.
    :raises ConfigurationError: ``setting_invalid``.
    """
    if type(app.session_interface) is not store:
        raise ConfigurationError(
            "setting_invalid",
            setting=f"{PREFIX}EMBEDDED",
            found=type(app.session_interface).__name__,
            expected="False, or Flask's own session cookie: a frame needs a session of its own",
        )
    if app.config["SESSION_COOKIE_SAMESITE"] not in (None, "Lax"):
        raise ConfigurationError(
            "setting_invalid",
            setting="SESSION_COOKIE_SAMESITE",
            found=app.config["SESSION_COOKIE_SAMESITE"],
            expected="'Lax': frames have a session cookie of their own",
        )

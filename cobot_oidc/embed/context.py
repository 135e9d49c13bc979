"""What Cobot says about the frame that it shows the app in: always a hint, and never a login (docs/cobot.md 6).

Anybody can write such a URL. So it may take a login away, from a person whom Cobot does not show the page to, and never
give one. It is remembered in the frame's own cookie, beside a secret by which the frame is known again.
"""

import json
import re
import secrets
from base64 import urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from .. import cookies
from ..context import the_request
from ..identity.sessions import Identity
from ..issuers import is_space_name
from ..protocol import base64url
from .frames import COOKIE, in_frame

LIFETIME = 30 * 86400  # seconds
LONGEST_COOKIE = 2048  # characters

_SECRET_BYTES = 32
_KEPT = "_cobot_oidc_embed"
_USER_ID = re.compile(r"[\x21-\x7e]{1,255}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?")


@dataclass(frozen=True, slots=True)
class Embed:
    """What Cobot says about the frame. Each of it may be missing, and none of it is proven.

    :ivar space: the subdomain of the space that shows the app. :ivar locale: the person's language, such as ``en``.
    :ivar user_id: Cobot's id of the person who sees the page.
    """

    space: str | None = None
    user_id: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    secret: str
    embed: Embed
    is_noted: bool  # in the browser


def embed() -> Embed | None:
    """What Cobot says about the frame that this request comes from; ``None`` outside of a frame."""
    frame = _frame()
    return None if frame is None else frame.embed


def secret() -> str | None:
    """The secret of the frame that this request comes from; ``None`` outside of a frame."""
    frame = _frame()
    return None if frame is None else frame.secret


def is_for_somebody_else(identity: Identity) -> bool:
    """Whether Cobot shows this frame to another person than the one who is logged in here."""
    hint = embed()
    if hint is None or hint.user_id is None:
        return False
    return hint.user_id not in (identity.user.subject, identity.kept.cobot_id)


def note(response: Response) -> Response:
    """Let the browser remember what is known about this frame."""
    frame = _frame()
    if frame is not None and not frame.is_noted:
        value = json.dumps([frame.secret, frame.embed.space, frame.embed.user_id, frame.embed.locale])
        cookies.put(response, COOKIE, urlsafe_b64encode(value.encode()).rstrip(b"=").decode(), max_age=LIFETIME)
    return response


def _frame() -> _Frame | None:
    kept = the_request().__dict__
    if _KEPT not in kept:
        kept[_KEPT] = _read() if in_frame() else None
    frame: _Frame | None = kept[_KEPT]
    return frame


def _read() -> _Frame:
    known, query = _in_cookie(), request.args
    if query.get("cobot_embed") == "true":
        said = Embed(
            space=_fit(query.get("cobot_subdomain"), is_space_name),
            user_id=_fit(query.get("cobot_user_id"), _USER_ID.fullmatch),
            locale=_fit(query.get("cobot_locale"), _LOCALE.fullmatch),
        )
        if known is None:
            return _Frame(secrets.token_urlsafe(_SECRET_BYTES), said, False)
        return _Frame(known.secret, said, said == known.embed)
    return known or _Frame(secrets.token_urlsafe(_SECRET_BYTES), Embed(), False)


def _in_cookie() -> _Frame | None:
    values = cookies.values(COOKIE)
    if len(values) != 1 or len(values[0]) > LONGEST_COOKIE:
        return None
    try:
        match json.loads(base64url.decode(values[0].encode("ascii"))):
            case [str(frame_secret), str() | None as space, str() | None as user_id, str() | None as locale]:
                return _Frame(frame_secret, Embed(space, user_id, locale), True)
    except (ValueError, Error, RecursionError):
        return None
    return None


def _fit(value: str | None, rule: Any) -> str | None:
    return value if value is not None and rule(value) else None

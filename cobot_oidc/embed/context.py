"""What Cobot says about the frame that it shows the app in: always a hint, and never a login (docs/cobot.md 6).

Anybody can write such a URL. So it may take a login away, from a person whom Cobot does not show the page to, and never
give one. It is remembered in the frame's own cookie, beside a secret by which the frame is known again. Frames of one
page share that cookie, and the one that was set last stays. So a frame that begins sets one more, which no other
replaces: two that begin at the same moment are both known again.
"""

import hashlib
import json
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from .. import cookies
from ..context import is_query_readable, the_request
from ..identity.stored import Identity
from ..issuers import is_space_name
from ..protocol import base64url
from ..protocol.strict_json import loads
from .frames import COOKIE, in_frame

LIFETIME = 30 * 86400  # seconds
LONGEST_BEGINNING = 3600  # seconds in which a frame's first login may end
MOST_BEGINNINGS = 4  # frames that begin at once
LONGEST_COOKIE = 2048  # characters

_SECRET_BYTES = 32
_KEPT = "_cobot_oidc_embed"
_BEGINNING = f"{COOKIE}_of_"  # and the beginning of the frame's name
_LETTERS = 12
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_USER_ID = re.compile(r"[\x21-\x7e]{1,255}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?")


@dataclass(frozen=True, slots=True)
class Embed:
    """What Cobot says about the frame. Each of it may be missing, and none of it is proven.

    :ivar space: the subdomain of the space that shows the app.
    :ivar locale: the person's language, such as ``en``.
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
    is_new: bool


def embed() -> Embed | None:
    """What Cobot says about the frame that this request comes from; ``None`` outside of a frame."""
    frame = _frame()
    return None if frame is None else frame.embed


def secret() -> str | None:
    """The secret of the frame that this request comes from; ``None`` outside of a frame."""
    frame = _frame()
    return None if frame is None else frame.secret


def known_secrets() -> list[str]:
    """All secrets by which this frame may be known: its own, and those of frames that began beside it (E02)."""
    own = secret()
    return [] if own is None else list(dict.fromkeys([own, *_beginnings()]))


def name_of(secret: str) -> str:
    """The name of a frame, which may be told: 43 characters of its secret's SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:43]


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
        if frame.is_new:
            cookies.put(response, _name_of_beginning(frame.secret), frame.secret, max_age=LONGEST_BEGINNING)
    return response


def _frame() -> _Frame | None:
    kept = the_request().__dict__
    if _KEPT not in kept:
        kept[_KEPT] = _read() if in_frame() else None
    frame: _Frame | None = kept[_KEPT]
    return frame


def _read() -> _Frame:
    known, query = _in_cookie(), request.args if is_query_readable() else {}
    if query.get("cobot_embed") == "true":
        said = Embed(
            space=_space(query.get("cobot_subdomain")),
            user_id=_user_id(query.get("cobot_user_id")),
            locale=_locale(query.get("cobot_locale")),
        )
        if known is None:
            return _Frame(secrets.token_urlsafe(_SECRET_BYTES), said, is_noted=False, is_new=True)
        return _Frame(known.secret, said, is_noted=said == known.embed, is_new=False)
    return known or _Frame(secrets.token_urlsafe(_SECRET_BYTES), Embed(), is_noted=False, is_new=True)


def _beginnings() -> list[str]:
    """The secrets of frames that began not long ago, of which one may have lost its cookie to another."""
    names = [name for name in cookies.names() if name.startswith(_BEGINNING)]
    found = [values[0] for name in names[-MOST_BEGINNINGS:] if len(values := cookies.values(name)) == 1]
    return [one for one in found if _SECRET.fullmatch(one)]


def _name_of_beginning(secret: str) -> str:
    return _BEGINNING + name_of(secret)[:_LETTERS]


def _in_cookie() -> _Frame | None:
    values = cookies.values(COOKIE)
    if len(values) != 1 or len(values[0]) > LONGEST_COOKIE:
        return None
    try:
        stored = loads(base64url.decode(values[0].encode("ascii")))
    except ValueError:
        return None
    match stored:  # who owns the browser may write anything
        case [str(frame_secret), space, user_id, locale] if _SECRET.fullmatch(frame_secret):
            said = Embed(_space(space), _user_id(user_id), _locale(locale))
            return _Frame(frame_secret, said, is_noted=True, is_new=False)
    return None


def _space(value: object) -> str | None:
    return value if isinstance(value, str) and is_space_name(value) else None


def _user_id(value: object) -> str | None:
    return value if isinstance(value, str) and _USER_ID.fullmatch(value) else None


def _locale(value: object) -> str | None:
    return value if isinstance(value, str) and _LOCALE.fullmatch(value) else None

"""The mark that a logout leaves with the browser, so that no page which was under way undoes it (X10).

A page that began before a logout may write the session as it was: a server-side store takes it, and so does a browser.
This cookie says since when a login at an issuer is valid. Only logins and logouts write it, and it proves nothing: who
forges it logs out at most.
"""

import hashlib
import re
from collections.abc import Mapping

from werkzeug.wrappers import Response

from .. import cookies
from ..context import the_request
from ..installation import installation
from .user import User

MOST_MARKS = 12
EVERY_ISSUER = "*"
LONGEST_COOKIE = 300  # characters

_NAME = "cobot_oidc_ended"
_MARK = re.compile(r"([0-9a-f]{8})([0-9a-f]{1,10})")


def is_marked(user: User) -> bool:
    """Whether this browser's own mark says that the login is not valid any more."""
    if not are_marked():
        return False
    marks = _marks()
    valid_from = marks.get(_hash(user.issuer), marks.get(_hash(EVERY_ISSUER)))
    return valid_from is not None and user.authenticated_at < valid_from


def are_marked() -> bool:
    """Whether this browser has such a mark at all."""
    return _NAME in the_request().environ.get("HTTP_COOKIE", "")


def mark(valid_from: Mapping[str, int], response: Response) -> Response:
    """Note since when logins are valid, for as long as one can last.

    :param valid_from: by issuer, in seconds since the epoch; ``EVERY_ISSUER`` for all that are not named after it.
    """
    marks = {} if EVERY_ISSUER in valid_from else _marks()
    for issuer, at in valid_from.items():
        marks.pop(_hash(issuer), None)
        marks[_hash(issuer)] = at
    every = marks.pop(_hash(EVERY_ISSUER), None)
    kept = ([] if every is None else [(_hash(EVERY_ISSUER), every)]) + list(marks.items())[-MOST_MARKS:]
    entries = [f"{issuer_hash}{at:x}" for issuer_hash, at in kept]
    cookies.put(response, _NAME, ".".join(entries), max_age=installation().terms.lifetime)
    return response


def _marks() -> dict[str, int]:
    entries = "".join(cookies.values(_NAME))[:LONGEST_COOKIE].split(".")
    return {match[1]: int(match[2], 16) for entry in entries if (match := _MARK.fullmatch(entry))}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]

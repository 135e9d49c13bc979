"""Access tokens that the app wants to keep: sealed in the session, or in Redis if there is one.

A token is sealed for the login that it came with: in another person's session, or at another space, it cannot be
opened. Whoever reads Redis or a cookie, but does not know the app's secret key, learns nothing (A02).
"""

import json
import secrets

from .. import sealing
from ..errors import APIError
from ..installation import installation
from .user import User

_PURPOSE = "access token"
_IN_REDIS = "@"  # begins what the session holds if the token itself is in Redis
_NAME_BYTES = 12


def keep(token: str, user: User) -> str:
    """Keep a token.

    :returns: what the session has to hold.
    """
    sealed, store = sealing.seal(token.encode(), _PURPOSE, _context(user)), installation().store()
    if store is None:
        return sealed
    name = secrets.token_urlsafe(_NAME_BYTES)
    is_kept = store.put(_key(name), {"sealed": sealed}, seconds=installation().terms.lifetime)
    return _IN_REDIS + name if is_kept else sealed


def kept(held: str | None, user: User) -> str | None:
    """The token that a session holds; ``None`` if there is none, it belongs to another login, or Redis has lost it.

    :param held: what ``keep`` returned.
    :raises APIError: ``token_unavailable`` while Redis is: another login would not help.
    """
    if held is not None and held.startswith(_IN_REDIS):
        store = installation().store()
        found = None if store is None else store.get(_key(held[1:]))
        if found is None and store is not None and store.is_away:
            raise APIError("token_unavailable")
        held = None if found is None else str(found.get("sealed"))
    token = None if held is None else sealing.opened(held, _PURPOSE, _context(user))
    return None if token is None else token.decode()


def forget(held: str | None) -> None:
    """Forget a token, as far as it is not in the session."""
    store = installation().store()
    if held is not None and held.startswith(_IN_REDIS) and store is not None:
        store.delete(_key(held[1:]))


def _key(name: str) -> str:
    return f"token:{name}"


def _context(user: User) -> str:
    return json.dumps([user.issuer, user.subject, user.space, user.authenticated_at])

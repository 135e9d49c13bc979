"""Sealed texts that a login leaves: in the session itself, or in Redis if there is one, under a name nobody guesses.

What the session holds of one is its *held* text: the sealed text, or the name. ``tokens`` and ``hints`` say what it is.
"""

import json
import secrets

from ..errors import APIError
from ..installation import installation
from .user import User

_IN_REDIS = "@"  # begins what the session holds if the text itself is in Redis
_NAME_BYTES = 12


def login_of(user: User) -> str:
    """The context of what is sealed for one login: of another one, it cannot be opened."""
    return json.dumps([user.issuer, user.subject, user.space, user.authenticated_at, user.login_id])


def put(kind: str, sealed: str) -> str:
    """Keep a sealed text.

    :param kind: what it is, such as ``token``: the names in Redis begin with it.
    :returns: what the session has to hold.
    """
    store = installation().store()
    if store is None:
        return sealed
    name = secrets.token_urlsafe(_NAME_BYTES)
    is_kept = store.put(f"{kind}:{name}", {"sealed": sealed}, seconds=installation().terms.lifetime)
    return _IN_REDIS + name if is_kept else sealed


def replace(kind: str, held: str, sealed: str, *, seconds: float) -> str | None:
    """Keep a sealed text in place of another one, under the same name if Redis has it.

    :param seconds: how long the login can still last.
    :returns: what the session has to hold; ``None`` if Redis has forgotten the other one, as the login has ended (A04).
    """
    store = installation().store()
    if not is_in_redis(held) or store is None:
        return sealed
    if store.put(f"{kind}:{held[1:]}", {"sealed": sealed}, seconds=seconds, only_in_place=True):
        return held
    return sealed if store.is_away else None


def get(kind: str, held: str, *, and_forget: bool = False) -> str | None:
    """The sealed text; ``None`` if Redis has lost it.

    :param and_forget: let Redis lose it in the same step.
    :raises APIError: ``token_unavailable`` while Redis is.
    """
    if not is_in_redis(held):
        return held
    store, name = installation().store(), f"{kind}:{held[1:]}"
    found = None if store is None else store.take_out(name) if and_forget else store.get(name)
    if found is None and store is not None and store.is_away:
        raise APIError("token_unavailable")
    return None if found is None else str(found.get("sealed"))


def forget(kind: str, held: str | None) -> None:
    """Forget a text, as far as it is not in the session."""
    store = installation().store()
    if held is not None and is_in_redis(held) and store is not None:
        store.delete(f"{kind}:{held[1:]}")


def is_in_redis(held: str) -> bool:
    """Whether the session holds a name alone."""
    return held.startswith(_IN_REDIS)

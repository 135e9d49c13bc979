"""Scopes that a view asks for, on their way through the login's URL: sealed, for whoever is logged in there (F21).

The URL of a login takes no scopes from strangers: a link of theirs must not make people grant what no page asked for.
"""

import json

from .. import sealing
from ..installation import installation
from .current import current_space, requested_user

LIFETIME = 600  # seconds

_PURPOSE = "scopes to ask for"


def sealed(scopes: tuple[str, ...]) -> str:
    """A request of this app's own for these scopes, for the current user, or for whoever logs in."""
    return sealing.seal(json.dumps([list(scopes), int(installation().clock())]).encode(), _PURPOSE, _whom())


def opened(grant: str | None) -> tuple[str, ...]:
    """The scopes that a view asks the current user for; none if the app did not ask for them just now."""
    plain = sealing.opened(grant, _PURPOSE, _whom()) if grant else None
    if plain is None:
        return ()
    scopes, asked_at = json.loads(plain)
    return tuple(scopes) if abs(installation().clock() - asked_at) <= LIFETIME else ()


def _whom() -> str:
    return f"{requested_user().get_id() or ''} at {current_space() or ''}"

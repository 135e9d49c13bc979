"""Access tokens that the app wants to keep: sealed in the session, or in Redis if there is one.

A token is sealed for the login that it came with: in another person's session, or at another space, it cannot be
opened. Whoever reads Redis or a cookie, but does not know the app's secret key, learns nothing (A02). What renews a
token, if the app uses refresh tokens, is kept in the same text, so that both are replaced at once.
"""

import json
from dataclasses import asdict, dataclass, field

from .. import sealing
from ..installation import installation
from . import vault
from .user import User

_KIND = "token"
_PURPOSE, _PURPOSE_OF_RENEWAL = "access token", "refresh token"
_BETWEEN = "."  # not in the alphabet of what is sealed


@dataclass(frozen=True, slots=True)
class Renewal:
    """What renews an access token (RFC 6749 section 6), and what a renewed id token is compared with.

    :ivar refresh_token: never shown in ``repr``.
    :ivar expires_at: when the access token expires, in seconds since the epoch; ``None`` if the provider did not say.
    :ivar auth_time: that of the login's id token, if it had one.
    :ivar nonce: a hash of the login's nonce.
    :ivar azp: whether the login's id token named an authorized party.
    """

    refresh_token: str = field(repr=False)
    expires_at: int | None
    auth_time: float | None
    nonce: str
    azp: bool


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """An access token, never shown in ``repr``, and what renews it, if the app wants that and the provider agreed."""

    access_token: str = field(repr=False)
    renewal: Renewal | None = None


def keep(token: str, user: User, renewal: Renewal | None = None) -> str:
    """Keep a token.

    :returns: what the session has to hold.
    """
    return vault.put(_KIND, _sealed(KeptTokens(token, renewal), user))


def replace(held: str, renewed: KeptTokens, user: User) -> str | None:
    """Keep renewed tokens in place of those before.

    :returns: what the session has to hold from now on; ``None`` if those before were forgotten at a logout.
    """
    left = installation().terms.lifetime - (installation().clock() - user.authenticated_at)
    return vault.replace(_KIND, held, _sealed(renewed, user), seconds=max(1.0, left))


def kept(held: str | None, user: User) -> str | None:
    """The token that a session holds; ``None`` if there is none, it belongs to another login, or Redis has lost it.

    :param held: what ``keep`` returned.
    :raises APIError: ``token_unavailable`` while Redis is: another login would not help.
    """
    both = kept_with_renewal(held, user)
    return None if both is None else both.access_token


def kept_with_renewal(held: str | None, user: User, *, and_forget: bool = False) -> KeptTokens | None:
    """The same, and what renews it.

    :param and_forget: forget both in the same step, as far as they are not in the session.
    """
    text = None if held is None else vault.get(_KIND, held, and_forget=and_forget)
    if text is None:
        return None
    first, _, second = text.partition(_BETWEEN)
    token = sealing.opened(first, _PURPOSE, vault.login_of(user))
    if token is None:
        return None
    plain = sealing.opened(second, _PURPOSE_OF_RENEWAL, vault.login_of(user)) if second else None
    return KeptTokens(token.decode(), None if plain is None else Renewal(**json.loads(plain)))


def forget(held: str | None) -> None:
    """Forget a token, as far as it is not in the session."""
    vault.forget(_KIND, held)


def _sealed(both: KeptTokens, user: User) -> str:
    sealed, renewal = sealing.seal(both.access_token.encode(), _PURPOSE, vault.login_of(user)), both.renewal
    if renewal is None:
        return sealed
    plain = json.dumps(asdict(renewal), separators=(",", ":")).encode()
    return sealed + _BETWEEN + sealing.seal(plain, _PURPOSE_OF_RENEWAL, vault.login_of(user))

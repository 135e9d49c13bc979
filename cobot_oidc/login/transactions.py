"""The login transaction: what a login has to remember until its answer arrives, in a sealed cookie of its own.

There is one cookie for each login, named after a hash of the state, so that tabs do not disturb each other and
anonymous visitors get no session. It is sealed for its name: renamed, it cannot be opened.
"""

import hashlib
import json
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from werkzeug.wrappers import Response

from .. import cookies, sealing
from ..errors import LoginError
from ..protocol import base64url
from ..protocol.further_parameters import NOTHING, Remembered
from ..urls import Destination

LIFETIME = 600  # seconds
MOST_OPEN = 5
MOST_LOOKED_AT = 20  # cookies that may be ours; a stranger can send thousands
MOST_BYTES = 2200  # of all transaction cookies together; a single one is kept whatever its size
LONGEST_COOKIE = 4096

_COOKIE_NAME = re.compile(r"cobot_oidc_[A-Za-z0-9_-]{22}")
_SECRET_BYTES = 32
_PURPOSE = "login transaction 3"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One login in progress.

    :ivar issuer: the issuer that was asked.
    :ivar destination: the space to log in to, and where the browser goes afterwards.
    :ivar nonce: 32 random bytes in base64url, as are ``state`` and ``code_verifier``; never shown in ``repr``.
    :ivar redirect_uri: the one in the authorization request.
    :ivar started_at: seconds since the epoch.
    :ivar max_age: seconds, if the request asked for a recent login at the provider.
    :ivar issuer_promised: whether the answer has to contain ``iss`` (RFC 9207).
    :ivar scopes: what is asked for beyond the configured scopes.
    :ivar asked: what else the app asked for and the answer is held to.
    """

    issuer: str
    destination: Destination
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    started_at: int
    max_age: int | None
    issuer_promised: bool
    scopes: tuple[str, ...] = ()
    asked: Remembered = NOTHING

    def is_alive(self, now: float) -> bool:
        """Whether the login may still be completed, within ten minutes. ``now`` is in seconds since the epoch."""
        return abs(now - self.started_at) <= LIFETIME


def new_secret() -> str:
    """32 random bytes in base64url: 43 characters, for a state, a nonce or a code verifier (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def remember(transaction: Transaction, response: Response) -> None:
    """Set the transaction's cookie, and make room for it if there are too many (F07, X14).

    If the cookies are too long, the longest ``next`` is dropped before any login is: a login without it ends at
    ``AFTER_LOGIN``. If there are too many cookies, the oldest is deleted.
    """
    now = transaction.started_at
    # Browsers send the oldest first (RFC 6265 section 5.4), which orders logins of the same second.
    latest_first = reversed(list(_open_cookies()))
    others = sorted(latest_first, key=lambda other: other.transaction.started_at, reverse=True)
    alive = [other for other in others if other.transaction.is_alive(now)]
    kept = _within_bytes([_Cookie.of(transaction), *alive[: MOST_OPEN - 1]])
    names = {cookie.name for cookie in kept}
    for other in others:
        if other.name not in names:
            cookies.delete(response, other.name)
    for cookie in kept:
        if cookie not in others:
            left = LIFETIME - max(0, now - cookie.transaction.started_at)
            cookies.put(response, cookie.name, cookie.value, max_age=left)


def recall(state: str | None) -> Transaction:
    """The transaction of this browser that has this state.

    :param state: from the authorization response.
    :raises LoginError: ``transaction_unknown`` if this browser has no transaction with that state; ``cookies_missing``
        if it sent no cookies at all.
    """
    if not state:
        raise LoginError("transaction_unknown")
    if not cookies.are_sent():
        raise LoginError("cookies_missing")
    name = _cookie_name(state)
    values = cookies.values(name)
    if len(values) != 1:  # two with one name: somebody else may have set one (S13)
        raise LoginError("transaction_unknown", cookies=len(values))
    transaction = _open(values[0], name)
    if transaction is None or not secrets.compare_digest(transaction.state.encode(), state.encode()):
        raise LoginError("transaction_unknown")
    return transaction


def open_states() -> Iterator[str]:
    """The states of all logins that this browser has started but not completed, according to its cookies."""
    return (cookie.transaction.state for cookie in _open_cookies())


def forget(state: str, response: Response) -> Response:
    """Delete the transaction's cookie once the request has been answered."""
    cookies.delete(response, _cookie_name(state))
    return response


def state_hash(state: str) -> str:
    """A name for a state in places where the state itself must not appear: 22 characters of its SHA-256."""
    return urlsafe_b64encode(hashlib.sha256(state.encode()).digest())[:22].decode()


def _cookie_name(state: str) -> str:
    return "cobot_oidc_" + state_hash(state)


@dataclass(frozen=True, slots=True)
class _Cookie:
    """A transaction and the cookie that contains it."""

    name: str
    value: str = field(repr=False)
    transaction: Transaction

    @classmethod
    def of(cls, transaction: Transaction) -> "_Cookie":
        name = _cookie_name(transaction.state)
        return cls(name, _seal(transaction, name), transaction)

    @property
    def bytes(self) -> int:
        """Its share of ``MOST_BYTES``: what the app asks for, which is short, takes no room from other logins."""
        asked = 0 if self.transaction.asked == NOTHING else self.transaction.asked.length
        return len(self.name) + len(self.value) - asked * 4 // 3  # base64

    def without_next(self) -> "_Cookie":
        transaction = replace(self.transaction, destination=self.transaction.destination._replace(next=None))
        return _Cookie(self.name, _seal(transaction, self.name), transaction)


def _within_bytes(logins: list[_Cookie]) -> list[_Cookie]:
    """As many of these logins, which are newest first, as there is room for."""
    while len(logins) > 1 and sum(login.bytes for login in logins) > MOST_BYTES:
        longest = max(logins, key=lambda login: len(login.transaction.destination.next or ""))
        if longest.transaction.destination.next is None:
            logins = logins[:-1]
        else:
            logins = [login.without_next() if login is longest else login for login in logins]
    return logins


def _open_cookies() -> Iterator[_Cookie]:
    names = [name for name in cookies.names() if _COOKIE_NAME.fullmatch(name)]
    for name in names[-MOST_LOOKED_AT:]:
        value = cookies.values(name)[0]
        transaction = _open(value, name)
        if transaction is not None:
            yield _Cookie(name, value, transaction)


def _seal(transaction: Transaction, name: str) -> str:
    binary = b"".join(
        base64url.decode(secret.encode())
        for secret in (transaction.state, transaction.nonce, transaction.code_verifier)
    )
    rest = [
        transaction.issuer,
        transaction.destination.space,
        transaction.destination.next,
        transaction.redirect_uri,
        transaction.started_at,
        transaction.max_age,
        transaction.issuer_promised,
        transaction.asked.stored(),
        *transaction.scopes,
    ]
    plain = binary + json.dumps(rest, separators=(",", ":")).encode()
    return sealing.seal(plain, _PURPOSE, name)


def _open(value: str, name: str) -> Transaction | None:
    plain = sealing.opened(value, _PURPOSE, name) if len(value) <= LONGEST_COOKIE else None
    if plain is None:
        return None
    secrets_, rest = plain[: 3 * _SECRET_BYTES], json.loads(plain[3 * _SECRET_BYTES :])
    state, nonce, code_verifier = (
        urlsafe_b64encode(secrets_[start : start + _SECRET_BYTES]).rstrip(b"=").decode()
        for start in range(0, 3 * _SECRET_BYTES, _SECRET_BYTES)
    )
    issuer, space, next_path, redirect_uri, started_at, max_age, issuer_promised, asked, *scopes = rest
    return Transaction(
        issuer=issuer,
        destination=Destination(space, next_path),
        state=state,
        nonce=nonce,
        code_verifier=code_verifier,
        redirect_uri=redirect_uri,
        started_at=started_at,
        max_age=max_age,
        issuer_promised=issuer_promised,
        scopes=tuple(scopes),
        asked=Remembered.restored(asked),
    )

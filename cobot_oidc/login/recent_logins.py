"""A short-lived cookie that remembers which logins of this browser were answered within the last minute.

It contains no secrets and proves nothing. It distinguishes an answer that arrives a second time from an unknown one
(F03), and a browser that loses its session each time from one that logs in for the first time (F28).
"""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from werkzeug.wrappers import Response

from .. import cookies
from .transactions import state_hash

REMEMBERED_FOR = 60  # seconds
MOST = 4
NOBODY = "0000"  # in place of an issuer's hash: nobody was logged in
STUCK_FROM = 3  # logins at one issuer within that time, without anybody being logged in

_NAME = "cobot_oidc_recent"
_ENTRY = re.compile(r"([A-Za-z0-9_-]{8})([0-9a-f]{4})([0-9a-f]{1,10})")


@dataclass(frozen=True, slots=True)
class RecentLogin:
    """One login: abbreviated hashes of its state and issuer, and its time (seconds since the epoch)."""

    state_hash: str
    issuer_hash: str
    at: int

    @classmethod
    def of(cls, state: str, issuer: str, at: float) -> "RecentLogin":
        """The entry of a login."""
        return cls(state_hash(state)[:8], _hash(issuer), int(at))


def recent_logins(now: float) -> list[RecentLogin]:
    """The logins of the last minute, oldest first."""
    entries = "".join(cookies.values(_NAME))[:200].split(".")
    matches = [match for entry in entries if (match := _ENTRY.fullmatch(entry))]
    logins = [RecentLogin(match[1], match[2], int(match[3], 16)) for match in matches]
    return [login for login in logins if 0 <= now - login.at <= REMEMBERED_FOR]


def was_answered(state: str, issuers: Iterable[str], now: float) -> bool:
    """Whether the login with this state has just succeeded at one of these issuers."""
    return _has_ended(state, {_hash(issuer) for issuer in issuers}, now)


def has_failed(state: str, now: float) -> bool:
    """Whether the login with this state has just ended with nobody being logged in."""
    return _has_ended(state, {NOBODY}, now)


def is_stuck(issuer: str, now: float) -> bool:
    """Whether this browser logs in at this issuer again and again, because it does not keep the session."""
    return sum(login.issuer_hash == _hash(issuer) for login in recent_logins(now)) >= STUCK_FROM


def remember(state: str, issuer: str, now: float, response: Response) -> Response:
    """Add a login once the request has been answered."""
    return _remember(RecentLogin.of(state, issuer, now), response)


def remember_failure(state: str, now: float, response: Response) -> Response:
    """Add a login that has ended with nobody being logged in, so that a reload of its page is known to be one."""
    return _remember(RecentLogin(state_hash(state)[:8], NOBODY, int(now)), response)


def _has_ended(state: str, issuer_hashes: Collection[str], now: float) -> bool:
    return any(
        login.state_hash == state_hash(state)[:8] and login.issuer_hash in issuer_hashes for login in recent_logins(now)
    )


def _remember(login: RecentLogin, response: Response) -> Response:
    logins = [*recent_logins(login.at), login][-MOST:]
    value = ".".join(f"{login.state_hash}{login.issuer_hash}{login.at:x}" for login in logins)
    cookies.put(response, _NAME, value, max_age=REMEMBERED_FOR)
    return response


def forget(response: Response) -> Response:
    """Delete the cookie: after a logout it is normal to log in again."""
    cookies.delete(response, _NAME)
    return response


def _hash(issuer: str) -> str:
    return hashlib.sha256(issuer.encode()).hexdigest()[:4]

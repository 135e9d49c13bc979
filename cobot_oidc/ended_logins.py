"""Which logins the app has ended: what a copy of a session, or a page that writes it back late, cannot undo.

Remembered in this process, and with Redis in all of them. No page waits for what other processes remember.
"""

import hmac
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .user import User

if TYPE_CHECKING:
    from .provider.shared_store import SharedStore

ASKED_EVERY = 5  # seconds: that old may be what this process knows of logouts in others
LONGEST_TIME = 12  # digits
OVERLAP = 60  # seconds that two machines' clocks may differ


class EndedLogins:
    """The logins that this app has ended, for as long as they would have lasted. Safe between threads.

    :param clock: seconds since the epoch.
    :param lifetime: seconds that a login lasts at most.
    :param secret: gives the app's secret key, without which nobody can write down that a login was ended.
    :param store: what this process shares with others, if there is one.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        lifetime: float,
        *,
        secret: Callable[[], bytes],
        store: "Callable[[], SharedStore | None]",
    ) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._secret = secret
        self._store = store
        self._asked_at: float | None = None
        self._known_until = clock() - lifetime
        self._names: dict[int, set[str]] = {}  # by the time of the login, which most users differ in

    def __contains__(self, user: User) -> bool:
        """Whether this login was ended. Waits for nobody: other processes' logouts are learned in the background."""
        names = self._names.get(user.authenticated_at)
        self._ask_now_and_then()
        return names is not None and self._name_of(user) in names

    def add(self, users: Iterable[User]) -> None:
        """These logins are ended. Said before the session forgets them, so that there is no moment in between."""
        store = self._store()
        for user in users:
            name = self._name_of(user)
            self._names.setdefault(user.authenticated_at, set()).add(name)
            if store is not None:
                store.note("ended", f"{user.authenticated_at}:{name}", keep=self._lifetime)
        for at in [at for at in list(self._names) if self._clock() - at > self._lifetime]:
            self._names.pop(at, None)

    def remove(self, user: User) -> None:
        """A new login, in the same second as one that was ended."""
        self._names.get(user.authenticated_at, set()).discard(self._name_of(user))

    def _name_of(self, user: User) -> str:
        login = f"{user.get_id()}#{user.authenticated_at}"
        return hmac.new(self._secret(), login.encode(), "sha256").hexdigest()[:32]

    def _ask_now_and_then(self) -> None:
        store, now, asked_at = self._store(), self._clock(), self._asked_at
        if store is None or (asked_at is not None and 0 <= now - asked_at < ASKED_EVERY):
            return
        self._asked_at = now
        thread = threading.Thread(target=self._learn, args=(store, now), name="cobot-oidc-ended-logins", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads: at the next page
            self._asked_at = asked_at

    def _learn(self, store: "SharedStore", now: float) -> None:
        noted = store.noted("ended", since=min(self._known_until, now) - OVERLAP)
        if noted is None:
            return
        for each in noted:
            at, _, name = each.partition(":")
            if at.isascii() and at.isdigit() and len(at) <= LONGEST_TIME:
                self._names.setdefault(int(at), set()).add(name)
        self._known_until = now

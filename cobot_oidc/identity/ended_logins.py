"""Which logins were ended: what a copy of a session, or a page that writes it back late, cannot undo.

The app ends them one by one; a provider, by a back-channel logout, all of a subject or the one of a session. Remembered
in this process, and with Redis in all of them. No page waits for what other processes remember, unless the app lets
providers end logins: then none is let in by what this process knew more than ten seconds ago.
"""

import hashlib
import hmac
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .stored import Identity
from .user import User

if TYPE_CHECKING:
    from ..provider.shared_store import SharedStore

ASKED_EVERY = 5  # seconds between two looks at what other processes noted, while pages are served
HEARD_WITHIN = 10  # seconds after which a page waits for such a look, if providers may end logins
LONGEST_TIME = 12  # digits
OVERLAP = 60  # seconds that two machines' clocks may differ

_UNTIL = "until"  # begins what is noted about all logins of a subject or session up to a time


def hash_of_session(sid: str) -> str:
    """What stands for a provider's session in ours: 16 characters, however long its ``sid`` is."""
    return urlsafe_b64encode(hashlib.sha256(sid.encode()).digest())[:16].decode()


class EndedLogins:
    """The logins that were ended, for as long as they would have lasted. Safe between threads.

    :param clock: seconds since the epoch.
    :param lifetime: seconds that a login lasts at most.
    :param hears_providers: whether providers may end logins.
    :param secret: gives the app's secret key, without which nobody can write down that a login was ended.
    :param store: what this process shares with others, if there is one.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        lifetime: float,
        *,
        hears_providers: bool,
        secret: Callable[[], bytes],
        store: "Callable[[], SharedStore | None]",
    ) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._hears_providers = hears_providers
        self._secret = secret
        self._store = store
        self._asked_at: float | None = None
        self._known_until = clock() - lifetime
        self._names: dict[int, set[str]] = {}  # by the time of the login, which most users differ in
        self._ended_until: dict[str, int] = {}  # by what stands for a subject or session

    def __contains__(self, login: Identity) -> bool:
        """Whether this login was ended."""
        store = self._store()
        if store is not None:
            now = self._clock()
            if self._hears_providers:
                self._catch_up(store, now)
            self._ask_now_and_then(store, now)
        user = login.user
        names = self._names.get(user.authenticated_at)
        if names is not None and self._name_of(user) in names:
            return True
        return bool(self._ended_until) and self._was_ended_by_its_provider(login)

    def add(self, users: Iterable[User]) -> None:
        """These logins are ended. Said before the session forgets them, so that there is no moment in between."""
        store = self._store()
        for user in users:
            name = self._name_of(user)
            self._names.setdefault(user.authenticated_at, set()).add(name)
            if store is not None:
                store.note("ended", f"{user.authenticated_at}:{name}", keep=self._lifetime)
        self._forget_old()

    def end_at(self, issuer: str, *, subject: str | None, sid: str | None) -> bool:
        """All logins up to now of this session at an issuer are ended, or, if none is named, all of this subject.

        A login of which no session is known ends with any session of its subject.

        :returns: whether all processes learn of it.
        """
        at, store = int(self._clock()), self._store()
        ended = [] if sid is None else [("session", hash_of_session(sid))]
        if subject is not None:
            ended.append(("subject" if sid is None else "subject without session", subject))
        is_noted = store is not None
        for kind, whose in ended:
            name = self._mac(kind, issuer, whose)
            self._end_until(name, at)
            note = f"{_UNTIL}:{at}:{name}:{self._mac(_UNTIL, at, name)}"
            is_noted = store is not None and store.note("ended", note, keep=self._lifetime) and is_noted
        self._forget_old()
        return is_noted

    def _was_ended_by_its_provider(self, login: Identity) -> bool:
        user, session = login.user, login.kept.session_hash
        own = ("subject without session", user.subject) if session is None else ("session", session)
        names = (self._mac(kind, user.issuer, whose) for kind, whose in (("subject", user.subject), own))
        return any(user.authenticated_at <= self._ended_until.get(name, 0) for name in names)

    def _end_until(self, name: str, at: int) -> None:
        self._ended_until[name] = max(at, self._ended_until.get(name, 0))

    def _forget_old(self) -> None:
        for at in [at for at in list(self._names) if self._clock() - at > self._lifetime]:
            self._names.pop(at, None)
        for name, at in list(self._ended_until.items()):
            if self._clock() - at > self._lifetime:
                self._ended_until.pop(name, None)

    def _name_of(self, user: User) -> str:
        login = f"{user.get_id()}#{user.authenticated_at}#{user.login_id}"
        return hmac.digest(self._secret(), login.encode(), "sha256").hex()[:32]

    def _mac(self, *of: str | int) -> str:
        # None of what is joined can contain a NUL: our words, an issuer, a subject, a hash, a time.
        return hmac.digest(self._secret(), "\0".join(map(str, of)).encode(), "sha256").hex()[:32]

    def _catch_up(self, store: "SharedStore", now: float) -> None:
        """Learn at once if the last time is long ago. While Redis is away, nobody waits for it."""
        if not 0 <= now - self._known_until < HEARD_WITHIN:
            self._learn(store, now)

    def _ask_now_and_then(self, store: "SharedStore", now: float) -> None:
        asked_at = self._asked_at
        if asked_at is not None and 0 <= now - asked_at < ASKED_EVERY:
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
            if at == _UNTIL:
                self._learn_end(name)
            elif _is_time(at):
                self._names.setdefault(int(at), set()).add(name)
        self._known_until = now

    def _learn_end(self, note: str) -> None:
        at, name, mac = (*note.split(":"), "", "", "")[:3]
        # Its time is not part of the name: whoever can write to Redis must not move it.
        if _is_time(at) and hmac.compare_digest(mac.encode(), self._mac(_UNTIL, int(at), name).encode()):
            self._end_until(name, int(at))


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_TIME

"""Which logins have been answered already, and which are being answered: each counts once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import CobotOIDCError, LoginError, ProviderError
from ..identity.user import User
from ..provider.deadline import result_by_the_deadline

if TYPE_CHECKING:
    from ..provider.shared_store import SharedStore

MOST_STATES, MOST_USERS = 10_000, 1_000
KEPT_FOR = 1200  # seconds: twice as long as a transaction lives
SAME_MOMENT = 60  # seconds in which answers of one browser may have crossed
MOST_CLICKS = 3  # on one answer, that wait for the first
MOST_WAITING = 4  # on all answers, in one process


@dataclass(slots=True)
class _UnderWay:
    user: "Future[User]" = field(default_factory=Future)
    waiting: int = 0


class UsedStates:
    """A bounded memory of states, by hash. Safe between threads.

    The provider takes a code only once in any case; this spares it the second request (F03, S21).

    :param store: if there is one, other processes' states count too.
    """

    def __init__(self, store: "SharedStore | None" = None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._claimed_at: OrderedDict[str, float] = OrderedDict()
        self._under_way: dict[str, _UnderWay] = {}
        self._users: OrderedDict[str, User] = OrderedDict()
        self._waiting = 0

    def claim(self, state_hash: str, now: float) -> bool:
        """Take this state; false if somebody has."""
        with self._lock:
            claimed_at = self._claimed_at.get(state_hash)
            if claimed_at is not None and abs(now - claimed_at) <= KEPT_FOR:
                return False
            self._claimed_at[state_hash] = now
            if len(self._claimed_at) > MOST_STATES:
                self._claimed_at.popitem(last=False)
        return self._store is None or self._store.claim(f"used:{state_hash}", seconds=KEPT_FOR)

    def is_claimed(self, state_hash: str) -> bool:
        """Whether this process took the state, or found it taken."""
        return state_hash in self._claimed_at

    def user_of(self, state_hash: str, find_out: Callable[[], User]) -> User:
        """Who logged in with this state, found out once however often the answer arrives at the same time.

        A browser drops its first request at a double click: only the answer to the last one is seen, so each has to
        end well (F03).

        :param find_out: called unless that is under way.
        :raises CobotOIDCError: as ``find_out``; ``transaction_used`` for more clicks than people make.
        """
        with self._lock:
            first = self._under_way.get(state_hash)
            if first is None:
                own = self._under_way[state_hash] = _UnderWay()
            elif first.waiting >= MOST_CLICKS or self._waiting >= MOST_WAITING:
                raise LoginError("transaction_used")
            else:
                first.waiting += 1
                self._waiting += 1
        if first is not None:
            try:
                return result_by_the_deadline(first.user)
            finally:
                with self._lock:
                    self._waiting -= 1
        try:
            user = find_out()
        except BaseException as error:
            own.user.set_exception(
                error.copy()
                if isinstance(error, CobotOIDCError)
                else ProviderError("provider_unreachable", reason="gave up")
            )
            raise
        else:
            own.user.set_result(user)
        finally:
            with self._lock:
                del self._under_way[state_hash]
        return user

    def remember(self, state_hash: str, user: User) -> None:
        """This user has logged in with this state."""
        with self._lock:
            self._users[state_hash] = user
            if len(self._users) > MOST_USERS:
                self._users.popitem(last=False)

    def users_of(self, state_hashes: Iterable[str], now: float) -> list[User]:
        """Who logged in with these states within the last minute, in this process."""
        users = (self._users.get(state_hash) for state_hash in state_hashes)
        return [user for user in users if user is not None and 0 <= now - user.authenticated_at <= SAME_MOMENT]

    def forget_users(self, users: Iterable[User]) -> None:
        """These users have logged out."""
        gone = set(users)
        with self._lock:
            for state_hash, user in list(self._users.items()):
                if user in gone:
                    del self._users[state_hash]

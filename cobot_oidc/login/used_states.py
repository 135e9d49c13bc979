"""Which logins have been answered already, and which are being answered: each counts once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors import CobotOIDCError, LoginError, ProviderError
from ..identity.stored import Identity
from ..identity.user import User
from ..provider.deadline import result_by_the_deadline

if TYPE_CHECKING:
    from ..provider.shared_store import SharedStore

T = TypeVar("T")

MOST_STATES, MOST_LOGINS = 10_000, 1_000
KEPT_FOR = 1200  # seconds: twice as long as a transaction lives
SAME_MOMENT = 60  # seconds in which answers of one browser may have crossed
MOST_CLICKS = 3  # on one answer, that wait for the first
MOST_WAITING = 4  # on all answers, in one process


@dataclass(slots=True)
class _UnderWay:
    login: "Future[Any]" = field(default_factory=Future)
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
        self._logins: OrderedDict[str, Identity] = OrderedDict()
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

    def login_of(self, state_hash: str, find_out: Callable[[], T]) -> T:
        """What this state's login ended with, found out once however often the answer arrives at the same time.

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
                return cast("T", result_by_the_deadline(first.login))
            finally:
                with self._lock:
                    self._waiting -= 1
        try:
            login = find_out()
        except BaseException as error:
            own.login.set_exception(
                error.copy()
                if isinstance(error, CobotOIDCError)
                else ProviderError("provider_unreachable", reason="gave up")
            )
            raise
        else:
            own.login.set_result(login)
        finally:
            with self._lock:
                del self._under_way[state_hash]
        return login

    def remember(self, state_hash: str, identity: Identity) -> None:
        """This login ended well."""
        with self._lock:
            self._logins[state_hash] = identity
            if len(self._logins) > MOST_LOGINS:
                self._logins.popitem(last=False)

    def logins_of(self, state_hashes: Iterable[str], now: float) -> list[Identity]:
        """The logins that ended with these states within the last minute, in this process."""
        logins = (self._logins.get(state_hash) for state_hash in state_hashes)
        return [
            login for login in logins if login is not None and 0 <= now - login.user.authenticated_at <= SAME_MOMENT
        ]

    def forget_users(self, users: Iterable[User]) -> None:
        """These users have logged out."""
        gone = set(users)
        with self._lock:
            for state_hash, login in list(self._logins.items()):
                if login.user in gone:
                    del self._logins[state_hash]

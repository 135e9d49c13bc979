"""One document of one issuer: held, renewed ahead, fetched by one caller at a time, served stale in an outage.

Safe between threads. No lock is held across a fetch: who needs what is being fetched waits for it, nobody else does.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..protocol.errors import CobotOIDCError, ProviderError
from .freshness import Freshness, freshness, pause_after
from .copies import Copy, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Failure:
    error: CobotOIDCError
    in_a_row: int
    at: float


class CachedDocument(Generic[T]):
    """A document that is fetched when it is needed and not more often.

    :param source: where it comes from, and who is told of it.
    :param lock: may be shared with others: it is never held for long.
    """

    __slots__ = ("_copy", "_failure", "_lock", "_source", "_under_way")

    def __init__(self, source: Source[T], lock: threading.Lock) -> None:
        self._source = source
        self._lock = lock
        self._copy: Copy[T] | None = None
        self._failure: _Failure | None = None
        self._under_way: Future[T] | None = None

    def get(self) -> T:
        """The document, fresh, or stale where it cannot be renewed at once.

        :raises CobotOIDCError: as the source raises, where there is nothing to serve; remembered for some seconds.
        """
        copy, age = self._copy, self._freshness()
        if copy is not None and age is Freshness.FRESH:
            return copy.value
        if copy is not None and age is Freshness.AGING:
            self.renew_ahead()
            return copy.value
        if copy is not None and age is Freshness.STALE and self._under_way is not None:
            return copy.value  # one caller finds out whether the provider is there: the others need not hang with it
        if failure := self._recent_failure():
            return self._stale_or(failure.error)
        try:
            return self._shared_fetch()
        except CobotOIDCError as error:
            return self._stale_or(error)

    def renewed_beyond(self, known: T, suffices: Callable[[T], bool]) -> T:
        """Another document than ``known``, if there is one already or the budget for forced renewals allows to look.

        :param known: what the caller has, and what does not suffice.
        :param suffices: whether a document would.
        :returns: ``known`` itself where there is no other, and none may be looked for now.
        """
        with self._lock:
            copy, under_way = self._copy, self._under_way
            if under_way is None and copy is not None and copy.value is not known:
                return copy.value
            if under_way is None:
                own = self._under_way = Future()
        try:
            if under_way is not None:
                return _result(under_way)
            return self._run(own, lambda: self._fetch_beyond(suffices))
        except CobotOIDCError:
            return known

    def prefetch(self) -> None:
        """Fetch in the background, unless a fresh copy is here: somebody will need it soon."""
        if self._freshness() not in (Freshness.FRESH, Freshness.AGING):
            self.renew_ahead()

    def renew_ahead(self) -> None:
        """Fetch in the background, unless that is under way or failed just now."""
        if self._recent_failure() is not None or (own := self._claim()) is None:
            return
        thread = threading.Thread(target=self._run_quietly, args=(own,), name="cobot-oidc-renewal", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is about to end
            self._run_quietly(own)

    def _freshness(self) -> Freshness:
        copy = self._copy
        if copy is None:
            return Freshness.EXPIRED
        return freshness(self._source.clock() - copy.at, lifetime=copy.lifetime, stale=self._source.stale)

    def _recent_failure(self) -> _Failure | None:
        failure = self._failure
        if failure is not None and 0 <= self._source.clock() - failure.at < pause_after(failure.in_a_row):
            return failure
        return None

    def _stale_or(self, error: CobotOIDCError) -> T:
        copy = self._copy
        if copy is None or self._freshness() is Freshness.EXPIRED:
            raise error.copy()
        self._source.tell(f"stale_{self._source.name}_served")
        return copy.value

    def _shared_fetch(self) -> T:
        """The result of the fetch that is under way, or of our own."""
        while (own := self._claim()) is None:
            if under_way := self._under_way:
                return _result(under_way)
        return self._run(own, self._fetch)

    def _claim(self) -> "Future[T] | None":
        """The right to fetch; ``None`` while somebody else has it."""
        with self._lock:
            if self._under_way is not None:
                return None
            own: Future[T] = Future()
            self._under_way = own
            return own

    def _fetch(self) -> Copy[T]:
        return self._source.fetch(None if self._copy is None else self._copy.at)

    def _fetch_beyond(self, suffices: Callable[[T], bool]) -> Copy[T]:
        copy = self._copy
        return self._source.fetch_beyond(None if copy is None else copy.at, suffices) or copy or self._fetch()

    def _run(self, own: "Future[T]", fetch: Callable[[], Copy[T]]) -> T:
        before = self._copy
        try:
            copy = fetch()
        except BaseException as error:
            # Whatever ends this caller (its worker's time limit, say) is not the waiters' end.
            told = (
                error if isinstance(error, CobotOIDCError) else ProviderError("provider_unreachable", reason="gave up")
            )
            if before is None and told is error:
                before = self._source.of_others()  # stale: other processes knew the provider before it failed
            with self._lock:
                self._copy = before
                in_a_row = self._failure.in_a_row + 1 if self._failure is not None else 1
                self._failure = _Failure(told.copy(), in_a_row, self._source.clock())
                self._under_way = None
            own.set_exception(told.copy())
            raise
        with self._lock:
            if copy is not before:
                self._failure = None
            self._copy = copy
            self._under_way = None
        own.set_result(copy.value)
        if copy is not before:
            self._source.tell(f"{self._source.name}_renewed")
        return copy.value

    def _run_quietly(self, own: "Future[T]") -> None:
        try:
            self._run(own, self._fetch)
        except CobotOIDCError:
            return  # who needs the document is told, and the provider told its listener


def _result(under_way: "Future[T]") -> T:
    try:
        return under_way.result()
    except CobotOIDCError as error:
        raise error.copy() from None

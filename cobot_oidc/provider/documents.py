"""One document at one URL: kept, renewed in advance, fetched by one thread at a time, served stale in an outage.

Documents are fetched in threads of their own. All requests may wait for them for a moment, but only a few for longer,
so a provider that hangs blocks only these few threads of a worker (X06). Everything here is thread-safe,
and no lock is held during a fetch.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..errors import CobotOIDCError, ProviderError
from .copies import Copies, Copy, Wanted
from .deadline import result_by_the_deadline, result_of, seconds_left
from .freshness import FORCED_RENEWALS, Bucket, Freshness, freshness, pause_after
from .gate import MOST_PUSHES, MOST_PUSHES_IN_ALL, Crowd

T = TypeVar("T")
Listener = Callable[[str, str], None]

MOMENT = 1.0  # seconds from the beginning of a fetch for which everybody may wait
MOST_WAITING = 4  # requests in this process that may wait longer than that
HURRY = 20.0  # seconds after a moment was not enough, in which only those wait who get a seat

_FULL_BUCKET = Bucket()


@dataclass(frozen=True, slots=True)
class _Failure:
    error: CobotOIDCError
    in_a_row: int
    at: float


@dataclass(frozen=True, slots=True)
class _Fetch(Generic[T]):
    """A fetch in progress: its number among the fetches of its document, and its start (``time.monotonic``)."""

    number: int
    result: "Future[T]" = field(default_factory=Future)
    began: float = field(default_factory=time.monotonic)


class Keeper:
    """What the documents and gates of one process share.

    :param copies: where copies come from.
    :param tell: is called with an event's name and the issuer for which it happened. It must not raise.
    """

    def __init__(self, copies: Copies, tell: Listener) -> None:
        self.copies = copies
        self.tell = tell
        self.lock = threading.Lock()  # never held for long
        self.crowd = Crowd()
        self.pushing = Crowd(MOST_PUSHES_IN_ALL, MOST_PUSHES)  # who begins a login, apart from who ends one
        self._seats = threading.BoundedSemaphore(MOST_WAITING)
        self._hurried_until = 0.0  # of ``time.monotonic``

    def wait(self, fetch: _Fetch[T], *, seat: bool = True) -> T:
        """The result of a fetch.

        :param seat: whether waiting for longer than a moment requires a free seat.
        :raises ProviderError: ``provider_busy`` if there is no free seat; ``provider_unreachable`` at the deadline.
        :raises CobotOIDCError: the error of the fetch.
        """
        now = time.monotonic()
        moment = 0 if now < self._hurried_until else min(fetch.began + MOMENT - now, seconds_left())
        try:
            return result_of(fetch.result, moment)
        except TimeoutError:
            if moment >= MOMENT / 2:  # many slow issuers would hold everybody up, a moment for each
                self._hurried_until = time.monotonic() + HURRY
        if not seat:
            return result_by_the_deadline(fetch.result)
        if not self._seats.acquire(blocking=False):
            raise ProviderError("provider_busy", retry_after_seconds=1)
        try:
            return result_by_the_deadline(fetch.result)
        finally:
            self._seats.release()


class Document(Generic[T]):
    """A document that is fetched only when it is needed.

    Each method takes the issuer that needs the document, as several issuers may share one document, such as the key set
    of a provider's spaces.
    """

    __slots__ = ("__weakref__", "_begun", "_bucket", "_copy", "_failure", "_keeper", "_under_way", "wanted")

    def __init__(self, wanted: Wanted[T], keeper: Keeper) -> None:
        self.wanted = wanted
        self._keeper = keeper
        self._copy: Copy[T] | None = None
        self._failure: _Failure | None = None
        self._under_way: _Fetch[T] | None = None
        self._begun = 0
        self._bucket = _FULL_BUCKET

    @property
    def held(self) -> T | None:
        """The document if we have it, fresh or stale. Never fetches."""
        copy = self._copy
        return None if copy is None or self._freshness() is Freshness.EXPIRED else copy.value

    @property
    def was_fetched(self) -> bool:
        """Whether the document has ever been fetched."""
        return self._copy is not None

    def get(self, issuer: str) -> T:
        """The fresh document, or a stale one if it cannot be renewed at once.

        :raises CobotOIDCError: if there is no usable copy; the error is remembered for some seconds.
        """
        copy, age = self._copy, self._freshness()
        if copy is not None and age is Freshness.FRESH:
            return copy.value
        if copy is not None and age is Freshness.AGING:
            self._renew_ahead(issuer)
            return copy.value
        if copy is not None and age is Freshness.STALE and self._under_way is not None:
            return copy.value  # one request finds out whether the provider answers; the others need not wait for it
        if failure := self._recent_failure():
            return self._stale_or(failure.error, issuer)
        try:
            return self._keeper.wait(self._fetch(issuer))
        except CobotOIDCError as error:
            return self._stale_or(error, issuer)

    def prefetch(self, issuer: str) -> None:
        """Fetch in the background unless we have a fresh copy, as somebody will need it soon."""
        if self._freshness() not in (Freshness.FRESH, Freshness.AGING):
            self._renew_ahead(issuer)

    def renewed_beyond(self, issuer: str, known: T, suffices: Callable[[T], bool]) -> T:
        """A newer document than ``known``, if there already is one or the budget for forced renewals allows a fetch.

        :param known: the document that the caller has, which does not suffice.
        :param suffices: tells whether a document suffices.
        :returns: ``known`` itself if there is no other, or if none may be fetched now.
        """
        copy, begun_before = self._copy, self._begun
        if copy is not None and copy.value is not known and suffices(copy.value):
            return copy.value
        for _ in range(2):  # a fetch in progress may have begun before the keys were rotated (X12)
            fetch = self._fetch_beyond(issuer, suffices)
            if fetch is None:
                return known
            try:
                value = self._keeper.wait(fetch, seat=False)  # the code is used up: this login cannot be repeated
            except CobotOIDCError:
                value = known
            if fetch.number > begun_before or suffices(value):
                break
        return value

    def _freshness(self) -> Freshness:
        copy = self._copy
        if copy is None:
            return Freshness.EXPIRED
        copies = self._keeper.copies
        stale = self.wanted.kind.stale(copies.settings)
        return freshness(copies.clock() - copy.at, lifetime=copy.lifetime, stale=stale)

    def _recent_failure(self) -> _Failure | None:
        failure = self._failure
        if failure is not None and 0 <= self._keeper.copies.clock() - failure.at < pause_after(failure.in_a_row):
            return failure
        return None

    def _stale_or(self, error: CobotOIDCError, issuer: str) -> T:
        held = self.held
        if held is None:
            raise error.copy() from None
        self._keeper.tell(f"stale_{self.wanted.kind.name}_served", issuer)
        return held

    def _renew_ahead(self, issuer: str) -> None:
        """Fetch without anybody waiting for it, unless the last fetch has just failed."""
        if self._under_way is None and self._recent_failure() is None:
            self._fetch(issuer)

    def _fetch(self, issuer: str) -> _Fetch[T]:
        """The fetch in progress, or a new one."""
        with self._keeper.lock:
            if self._under_way is not None:
                return self._under_way
            fetch = self._begin()
        self._run_beside(fetch, issuer, lambda: self._keeper.copies.fetch(self.wanted, self._fetched_at))
        return fetch

    def _fetch_beyond(self, issuer: str, suffices: Callable[[T], bool]) -> _Fetch[T] | None:
        """The same for a forced renewal; ``None`` if its budget is used up."""
        with self._keeper.lock:
            if self._under_way is not None:
                return self._under_way
            bucket = self._bucket.take(self._keeper.copies.clock(), FORCED_RENEWALS)
            if bucket is None:
                return None
            self._bucket = bucket
            fetch = self._begin()

        def look() -> Copy[T]:
            before = self._copy
            copy = self._keeper.copies.fetch_beyond(self.wanted, self._fetched_at, suffices)
            if copy is not None and suffices(copy.value):
                self._bucket = self._bucket.give_back(FORCED_RENEWALS)
            return copy or before or self._keeper.copies.fetch(self.wanted, None)

        self._run_beside(fetch, issuer, look)
        return fetch

    @property
    def _fetched_at(self) -> float | None:
        return None if self._copy is None else self._copy.at

    def _begin(self) -> _Fetch[T]:
        self._begun += 1
        self._under_way = _Fetch(self._begun)
        return self._under_way

    def _run_beside(self, fetch: _Fetch[T], issuer: str, get: Callable[[], Copy[T]]) -> None:
        run = threading.Thread(target=self._run, args=(fetch, issuer, get), name="cobot-oidc-fetch", daemon=True)
        try:
            run.start()
        except RuntimeError:  # no more threads, or the interpreter is about to end
            self._run(fetch, issuer, get)

    def _run(self, fetch: _Fetch[T], issuer: str, get: Callable[[], Copy[T]]) -> None:
        try:
            copy = get()
        except CobotOIDCError as error:
            self._settle_failure(fetch, issuer, error.copy())
        except BaseException:
            self._settle_failure(fetch, issuer, ProviderError("provider_unreachable", reason="gave up"))
            raise
        else:
            self._settle(fetch, issuer, copy)

    def _settle(self, fetch: _Fetch[T], issuer: str, copy: Copy[T]) -> None:
        with self._keeper.lock:
            is_new = copy is not self._copy
            if is_new:
                self._failure = None
            self._copy = copy
            self._under_way = None
        if is_new:
            self._keeper.tell(f"{self.wanted.kind.name}_renewed", issuer)
        fetch.result.set_result(copy.value)

    def _settle_failure(self, fetch: _Fetch[T], issuer: str, error: CobotOIDCError) -> None:
        # It may be stale: other processes got the document before the provider failed.
        copy = self._copy or self._keeper.copies.of_others(self.wanted)
        with self._keeper.lock:
            self._copy = copy
            in_a_row = self._failure.in_a_row + 1 if self._failure is not None else 1
            self._failure = _Failure(error, in_a_row, self._keeper.copies.clock())
            self._under_way = None
        if error.code in ("provider_unreachable", "provider_failing"):
            self._keeper.tell("provider_unavailable", issuer)
        fetch.result.set_exception(error)

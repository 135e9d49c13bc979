"""One document of one issuer: held, renewed ahead, fetched by one caller at a time, and served stale while the provider is down.

Safe between threads. No lock is held across a fetch: who needs what is being fetched waits for it, nobody else does.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..protocol.errors import CobotOIDCError
from .freshness import Bucket, Freshness, freshness, pause_after

T = TypeVar("T")
Clock = Callable[[], float]
Observer = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """What a fetch brought, and for how many seconds it is fresh."""

    value: T
    lifetime: float


@dataclass(frozen=True, slots=True)
class _Copy(Generic[T]):
    value: T
    lifetime: float
    fetched_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    error: CobotOIDCError
    in_a_row: int
    at: float


class CachedDocument(Generic[T]):
    """A document that is fetched when it is needed and not more often.

    :param fetch: brings the document, or raises ``CobotOIDCError``.
    :param stale: seconds that a copy may serve beyond its lifetime while fetching fails.
    :param clock: seconds since the epoch.
    :param observe: is told ``renewed``, ``stale_served`` and ``fetch_failed``.
    """

    def __init__(self, fetch: Callable[[], Fetched[T]], *, stale: float, clock: Clock, observe: Observer) -> None:
        self._fetch = fetch
        self._stale = stale
        self._clock = clock
        self._observe = observe
        self._lock = threading.Lock()
        self._copy: _Copy[T] | None = None
        self._failure: _Failure | None = None
        self._under_way: Future[T] | None = None
        self._bucket = Bucket(filled_at=clock())

    def get(self) -> T:
        """The document, fresh, or stale where renewing it fails.

        :raises CobotOIDCError: as ``fetch`` raises, where there is nothing to serve; remembered for some seconds.
        """
        now = self._clock()
        copy, age = self._copy, self._freshness(now)
        if copy is not None and age is Freshness.FRESH:
            return copy.value
        if copy is not None and age is Freshness.AGING:
            self.renew_ahead()
            return copy.value
        failure = self._failure
        if failure is not None and 0 <= now - failure.at < pause_after(failure.in_a_row):
            return self._stale_or(failure.error)
        try:
            return self._shared_fetch()
        except CobotOIDCError as error:
            return self._stale_or(error)

    def renewed_beyond(self, known: T) -> T | None:
        """Another document than ``known``, if there is one already or the budget for forced renewals allows to look.

        :param known: what the caller has, and what does not suffice.
        :returns: ``None`` where there is no other, and none may be looked for now.
        """
        with self._lock:
            copy, under_way = self._copy, self._under_way
            if under_way is None and copy is not None and copy.value is not known:
                return copy.value
            if under_way is None:
                bucket = self._bucket.take(self._clock())
                if bucket is None:
                    return None
                self._bucket = bucket
        try:
            return self._shared_fetch()
        except CobotOIDCError:
            return None

    def renew_ahead(self) -> None:
        """Fetch in the background, unless that is under way or failed just now."""
        failure = self._failure
        recently_failed = failure is not None and 0 <= self._clock() - failure.at < pause_after(failure.in_a_row)
        if self._under_way is None and not recently_failed:
            threading.Thread(target=self._quiet_fetch, name="cobot-oidc-renewal", daemon=True).start()

    def is_held(self) -> bool:
        """Whether a copy is here that may serve."""
        return self._freshness(self._clock()) is not Freshness.EXPIRED

    def _freshness(self, now: float) -> Freshness:
        copy = self._copy
        if copy is None:
            return Freshness.EXPIRED
        return freshness(now - copy.fetched_at, lifetime=copy.lifetime, stale=self._stale)

    def _stale_or(self, error: CobotOIDCError) -> T:
        copy = self._copy
        if copy is None or self._freshness(self._clock()) is Freshness.EXPIRED:
            raise error.copy()
        self._observe("stale_served")
        return copy.value

    def _quiet_fetch(self) -> None:
        try:
            self._shared_fetch()
        except CobotOIDCError:
            return  # told to the observer, and tried again by whoever needs the document

    def _shared_fetch(self) -> T:
        """The result of the fetch that is under way, or of our own."""
        with self._lock:
            under_way = self._under_way
            if under_way is None:
                own = self._under_way = Future()
        if under_way is not None:
            try:
                return under_way.result()
            except CobotOIDCError as error:
                raise error.copy() from None
        try:
            fetched = self._fetch()
        except CobotOIDCError as error:
            with self._lock:
                in_a_row = self._failure.in_a_row + 1 if self._failure is not None else 1
                self._failure = _Failure(error.copy(), in_a_row, self._clock())
                self._under_way = None
            own.set_exception(error.copy())
            self._observe("fetch_failed")
            raise
        except BaseException as error:
            with self._lock:
                self._under_way = None
            own.set_exception(error)
            raise
        with self._lock:
            self._copy = _Copy(fetched.value, fetched.lifetime, self._clock())
            self._failure = None
            self._under_way = None
        own.set_result(fetched.value)
        self._observe("renewed")
        return fetched.value

"""Where one document of one issuer comes from: another process of ours that has it already, or the provider.

The layer between what a process holds (``cached_document``) and the network. Without a store it only downloads.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeGuard, TypeVar

from ..protocol.catalogue import CATALOGUE
from ..protocol.errors import CobotOIDCError, ProviderError
from .freshness import FIRST_PAUSE, Bucket, Freshness, freshness

if TYPE_CHECKING:
    from .shared_store import SharedStore

T = TypeVar("T")
Clock = Callable[[], float]

CLOCKS_DIFFER = 60  # seconds between two machines of ours
# What only says that this process does not ask at the moment.
_OWN_RESTRAINT = ("provider_paused", "provider_busy")


@dataclass(frozen=True, slots=True)
class Download:
    """What the provider answered, and for how many seconds it is fresh."""

    body: bytes
    lifetime: float


@dataclass(frozen=True, slots=True)
class Copy(Generic[T]):
    """A document that was read: fresh for ``lifetime`` seconds from ``at``, when it was asked for."""

    value: T
    lifetime: float
    at: float


class Source(Generic[T]):
    """One document's way in.

    :param name: of the document in the store; the same in every process.
    :param download: asks the provider. :raises CobotOIDCError: where it has no such document to give.
    :param read: the document from the bytes that came. :raises CobotOIDCError: where they are none.
    :param stale: seconds that a copy serves beyond its lifetime.
    :param turn: seconds that one download may take.
    """

    __slots__ = ("_bucket", "_clock", "_download", "_name", "_read", "_stale", "_store", "_turn")

    def __init__(
        self,
        name: str,
        download: Callable[[], Download],
        read: Callable[[bytes], T],
        *,
        stale: float,
        turn: float,
        clock: Clock,
        store: "SharedStore | None",
    ) -> None:
        self._name = name
        self._download = download
        self._read = read
        self._stale = stale
        self._turn = turn
        self._clock = clock
        self._store = store
        self._bucket = Bucket(filled_at=clock())

    def fetch(self, newer_than: float | None) -> Copy[T]:
        """A copy that is fresh: of another process, or from the provider.

        :param newer_than: when the copy at hand was fetched; ``None`` where there is none.
        :raises CobotOIDCError: as ``download`` and ``read``, also where another process met it a moment ago.
        """
        with self._in_turn():
            copy = self.of_others()
            if copy is not None and (newer_than is None or copy.at > newer_than) and self._is_fresh(copy):
                return copy
            self._give_up_with_others()
            return self._from_provider()

    def fetch_beyond(self, suffices: Callable[[T], bool]) -> Copy[T] | None:
        """A newer copy, although the one at hand may be fresh: of another process if it suffices, or from the provider.

        :returns: ``None`` where the budget for that is used up (security.md K12).
        :raises CobotOIDCError: as ``fetch``.
        """
        asked_at = self._clock()
        copy = self.of_others()
        if copy is not None and suffices(copy.value):
            return copy
        with self._in_turn():
            copy = self.of_others()
            if copy is not None and (copy.at > asked_at or suffices(copy.value)):
                return copy
            self._give_up_with_others()
            return self._from_provider() if self._take() else None

    def of_others(self) -> Copy[T] | None:
        """The copy in the store, fresh or stale."""
        if self._store is None or (kept := self._store.get(self._name)) is None:
            return None
        body, lifetime, at = kept.get("body"), kept.get("lifetime"), kept.get("at")
        now = self._clock()
        if not isinstance(body, str) or not _is_number(lifetime) or not _is_number(at) or at > now + CLOCKS_DIFFER:
            return None
        try:
            value = self._read(body.encode())
        except CobotOIDCError:  # kept by a release with other rules
            return None
        return Copy(value, lifetime, min(at, now))

    def _take(self) -> bool:
        """Whether the budgets of this process and of all together allow a fetch. Taken first: failures count too."""
        bucket = self._bucket.take(self._clock())
        if bucket is None or not (self._store is None or self._store.take(f"budget:{self._name}")):
            return False
        self._bucket = bucket
        return True

    def _from_provider(self) -> Copy[T]:
        asked_at = self._clock()
        try:
            download = self._download()
            value = self._read(download.body)
        except ProviderError as error:
            if self._store is not None and error.code not in _OWN_RESTRAINT:
                failure = {"code": error.code, "at": self._clock()}
                self._store.put(f"failure:{self._name}", failure, seconds=FIRST_PAUSE)
            raise
        if self._store is not None:
            kept = {"body": download.body.decode(), "lifetime": download.lifetime, "at": asked_at}
            self._store.put(self._name, kept, seconds=download.lifetime + self._stale)
        return Copy(value, download.lifetime, asked_at)

    def _give_up_with_others(self) -> None:
        """Who waited for its turn while another process met a failure does not try it again at once."""
        failure: Mapping[str, object] | None = self._store.get(f"failure:{self._name}") if self._store else None
        if failure is None:
            return
        code, at = failure.get("code"), failure.get("at")
        if code in CATALOGUE and _is_number(at) and abs(self._clock() - at) < FIRST_PAUSE:
            raise ProviderError(str(code), reason="another process met it a moment ago")

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._store is None:
            yield
        else:
            with self._store.turn(f"turn:{self._name}", seconds=self._turn):
                yield

    def _is_fresh(self, copy: Copy[T]) -> bool:
        age = freshness(self._clock() - copy.at, lifetime=copy.lifetime, stale=self._stale)
        return age in (Freshness.FRESH, Freshness.AGING)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

"""Where one document of one issuer comes from: another process of ours that has it already, or the provider.

The layer between what a process holds (``cached_document``) and the network. Without a store it only downloads.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeGuard, TypeVar

from ..protocol.catalogue import CATALOGUE
from ..protocol.errors import CobotOIDCError, ProviderError
from .freshness import FIRST_PAUSE, Bucket, Freshness, freshness

if TYPE_CHECKING:
    from .shared_store import SharedStore

T = TypeVar("T")
Clock = Callable[[], float]

CLOCKS_DIFFER = 60  # seconds between two machines of ours
_FULL_BUCKET = Bucket()
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


class Source(ABC, Generic[T]):
    """One document's way in. A class for each kind of document says how it is downloaded and read.

    There is one for each document of each issuer, so it holds no more than it must.

    :param issuer: whose document. :param stale: seconds that a copy serves beyond its lifetime.
    :param turn: seconds that one download may take.
    :cvar name: of the kind of document.
    """

    __slots__ = ("_bucket", "_store", "_turn", "clock", "issuer", "stale")

    name: ClassVar[str]

    def __init__(self, issuer: str, *, stale: float, turn: float, clock: Clock, store: "SharedStore | None") -> None:
        self.issuer = issuer
        self.stale = stale
        self.clock = clock
        self._turn = turn
        self._store = store
        self._bucket = _FULL_BUCKET

    @abstractmethod
    def download(self) -> Download:
        """Ask the provider.

        :raises CobotOIDCError: where it has no such document to give.
        """

    @abstractmethod
    def read(self, body: bytes) -> T:
        """The document from the bytes that came.

        :raises CobotOIDCError: where they are none.
        """

    @abstractmethod
    def tell(self, event: str) -> None:
        """Pass on what happened: ``<name>_renewed``, ``stale_<name>_served``."""

    def fetch(self, newer_than: float | None) -> Copy[T]:
        """A copy that is fresh: of another process, or from the provider.

        :param newer_than: when the copy at hand was fetched; ``None`` where there is none.
        :raises CobotOIDCError: as ``download`` and ``read``, also where another process met it a moment ago.
        """
        with self._in_turn():
            copy = self._newer(newer_than)
            if copy is not None:
                return copy
            self._give_up_with_others()
            return self._from_provider()

    def fetch_beyond(self, newer_than: float | None, suffices: Callable[[T], bool]) -> Copy[T] | None:
        """A newer copy, although the one at hand may be fresh: of another process if it suffices, or from the provider.

        :param newer_than: as for ``fetch``.
        :returns: ``None`` where the budget for that is used up (security.md K12).
        :raises CobotOIDCError: as ``fetch``.
        """
        asked_at = self.clock()
        copy = self._newer(newer_than)
        if copy is not None and suffices(copy.value):
            return copy
        with self._in_turn():
            copy = self._newer(newer_than)
            if copy is not None and (copy.at > asked_at or suffices(copy.value)):
                return copy
            self._give_up_with_others()
            return self._from_provider() if self._take() else None

    def of_others(self) -> Copy[T] | None:
        """The copy in the store, fresh or stale."""
        if self._store is None or (kept := self._store.get(self._key)) is None:
            return None
        body, lifetime, at = kept.get("body"), kept.get("lifetime"), kept.get("at")
        now = self.clock()
        if not isinstance(body, str) or not _is_number(lifetime) or not _is_number(at) or at > now + CLOCKS_DIFFER:
            return None
        try:
            value = self.read(body.encode())
        except CobotOIDCError:  # kept by a release with other rules
            return None
        return Copy(value, lifetime, min(at, now))

    @property
    def _key(self) -> str:
        return f"{self.name}:{self.issuer}"  # the same in every process

    def _take(self) -> bool:
        """Whether the budgets of this process and of all together allow a fetch. Taken first: failures count too."""
        bucket = self._bucket.take(self.clock())
        if bucket is None or not (self._store is None or self._store.take(f"budget:{self._key}")):
            return False
        self._bucket = bucket
        return True

    def _from_provider(self) -> Copy[T]:
        asked_at = self.clock()
        try:
            download = self.download()
            value = self.read(download.body)
        except ProviderError as error:
            if self._store is not None and error.code not in _OWN_RESTRAINT:
                failure = {"code": error.code, "at": self.clock()}
                self._store.put(f"failure:{self._key}", failure, seconds=FIRST_PAUSE)
            raise
        if self._store is not None:
            kept = {"body": download.body.decode(), "lifetime": download.lifetime, "at": asked_at}
            self._store.put(self._key, kept, seconds=download.lifetime + self.stale)
        return Copy(value, download.lifetime, asked_at)

    def _give_up_with_others(self) -> None:
        """Who waited for its turn while another process met a failure does not try it again at once."""
        failure: Mapping[str, object] | None = self._store.get(f"failure:{self._key}") if self._store else None
        if failure is None:
            return
        code, at = failure.get("code"), failure.get("at")
        if code in CATALOGUE and _is_number(at) and abs(self.clock() - at) < FIRST_PAUSE:
            raise ProviderError(str(code), reason="another process met it a moment ago")

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._store is None:
            yield
        else:
            with self._store.turn(f"turn:{self._key}", seconds=self._turn):
                yield

    def _newer(self, than: float | None) -> Copy[T] | None:
        """The copy of another process if it is fresh. An older one could bring keys back that were taken away (K11)."""
        copy = self.of_others()
        if copy is None or (than is not None and copy.at <= than):
            return None
        age = freshness(self.clock() - copy.at, lifetime=copy.lifetime, stale=self.stale)
        return copy if age in (Freshness.FRESH, Freshness.AGING) else None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

"""Where a copy of a document comes from: another process of ours that already has it, or the provider.

The layer between what a process holds (``documents``) and the network. Without a store it only downloads.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeGuard, TypeVar

from ..errors import PROVIDER, CobotOIDCError, ProviderError
from ..protocol.keys import KeySet
from ..settings import ProviderSettings
from .freshness import (
    CLOCKS_DIFFER,
    FIRST_PAUSE,
    FORCED_RENEWALS,
    UNKNOWN_DISCOVERIES,
    Bucket,
    Freshness,
    freshness,
    lifetime_of,
)
from .http import HTTPClient, HTTPResponse, refuse_failure

if TYPE_CHECKING:
    from .shared_store import SharedStore

T = TypeVar("T")
Clock = Callable[[], float]

_JSON_TYPES = ("application/json", "application/jwk-set+json")
_UNKNOWN = "budget:unknown"
# Errors that only mean that this process is not asking at the moment.
_OWN_RESTRAINT = ("provider_paused", "provider_busy")


class Kind(NamedTuple):
    """A kind of document.

    :ivar name: its name in events and in the names of shared copies.
    :ivar lifetime: seconds that a copy is fresh, unless ``Cache-Control`` shortens it.
    :ivar stale: seconds beyond its lifetime for which a copy stays in use while the provider is down.
    :ivar is_unknown: its first download counts against the budget for issuers that nobody configured (X05).
    """

    name: str
    lifetime: Callable[[ProviderSettings], float]
    stale: Callable[[ProviderSettings], float]
    is_unknown: bool = False


METADATA = Kind("metadata", lambda settings: settings.metadata_lifetime, lambda settings: settings.metadata_stale)
METADATA_OF_UNKNOWN = METADATA._replace(is_unknown=True)
KEYS = Kind("keys", lambda settings: settings.keys_lifetime, lambda settings: settings.keys_stale)


class Wanted(NamedTuple, Generic[T]):
    """One document: its kind, where it is, and how its bytes are read.

    :ivar read: reads the bytes, or raises ``CobotOIDCError`` if they are not such a document.
    :ivar is_others: whether its host belongs to somebody else than the provider.
    """

    kind: Kind
    url: str
    read: Callable[[bytes], T]
    is_others: bool = False


@dataclass(frozen=True, slots=True)
class Copy(Generic[T]):
    """A document that was read: fresh for ``lifetime`` seconds from ``at``, when it was asked for."""

    value: T
    lifetime: float
    at: float


class Copies:
    """Gets copies for one process. This class is thread-safe.

    :param clock: seconds since the epoch.
    :param store: what this process shares with others, if there is one.
    """

    def __init__(
        self, settings: ProviderSettings, http: HTTPClient, clock: Clock, store: "SharedStore | None" = None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._http = http
        self._store = store
        self._unknown_discoveries = Bucket()

    def fetch(self, wanted: Wanted[T], newer_than: float | None) -> Copy[T]:
        """Get a fresh copy from another process or from the provider.

        :param newer_than: when the copy that we have was fetched; ``None`` if there is none.
        :raises CobotOIDCError: if there is no such document, or if another process found that out a moment ago.
        """
        with self._in_turn(wanted):
            copy = self._newer(wanted, newer_than)
            if copy is not None:
                return copy
            self._give_up_with_others(wanted)
            if wanted.kind.is_unknown and newer_than is None:
                return self._discovered(wanted)
            return self._from_provider(wanted)

    def fetch_beyond(
        self, wanted: Wanted[T], newer_than: float | None, suffices: Callable[[T], bool]
    ) -> Copy[T] | None:
        """Get a newer copy, even if ours is fresh: from another process if its copy suffices, or from the provider.

        :param newer_than: as for ``fetch``.
        :returns: ``None`` if the budget that all processes share is used up (K12).
        :raises CobotOIDCError: as ``fetch``.
        """
        asked_at = self.clock()
        copy = self._newer(wanted, newer_than)
        if copy is not None and suffices(copy.value):
            return copy
        with self._in_turn(wanted):
            copy = self._newer(wanted, newer_than)
            if copy is not None and (copy.at > asked_at or suffices(copy.value)):
                return copy
            self._give_up_with_others(wanted)
            budget = f"budget:{_name(wanted)}"
            if self._store is not None and not self._store.take(budget, FORCED_RENEWALS):
                return None
            copy = self._from_provider(wanted)
            if self._store is not None and suffices(copy.value):
                self._store.give_back(budget, FORCED_RENEWALS)
            return copy

    def of_others(self, wanted: Wanted[T]) -> Copy[T] | None:
        """The copy in the store, fresh or stale."""
        if self._store is None or (kept := self._store.get(_name(wanted))) is None:
            return None
        body, lifetime, at = kept.get("body"), kept.get("lifetime"), kept.get("at")
        now = self.clock()
        if not isinstance(body, str) or not _is_number(lifetime) or not _is_number(at) or at > now + CLOCKS_DIFFER:
            return None
        try:
            value = wanted.read(body.encode())
        except CobotOIDCError:  # stored by a release with other rules
            return None
        return Copy(value, lifetime, min(at, now))

    def _discovered(self, wanted: Wanted[T]) -> Copy[T]:
        """The document of an issuer that nobody configured, within the budget for those that turn out not to exist."""
        bucket = self._unknown_discoveries.take(self.clock(), UNKNOWN_DISCOVERIES)
        shared = self._store is None or self._store.take(_UNKNOWN, UNKNOWN_DISCOVERIES)
        if bucket is None or not shared:
            raise ProviderError("provider_busy", retry_after_seconds=30)
        self._unknown_discoveries = bucket
        copy = self._from_provider(wanted)
        self._unknown_discoveries = self._unknown_discoveries.give_back(UNKNOWN_DISCOVERIES)
        if self._store is not None:
            self._store.give_back(_UNKNOWN, UNKNOWN_DISCOVERIES)
        return copy

    def _from_provider(self, wanted: Wanted[T]) -> Copy[T]:
        asked_at = self.clock()
        try:
            body, lifetime = self._downloaded(wanted)
            value = wanted.read(body)
        except ProviderError as error:
            if self._store is not None and error.code not in _OWN_RESTRAINT:
                failure = {"code": error.code, "at": self.clock()}
                self._store.put(f"failure:{_name(wanted)}", failure, seconds=FIRST_PAUSE)
            raise
        if self._store is not None:
            kept = {"body": body.decode(), "lifetime": lifetime, "at": asked_at}
            self._store.put(_name(wanted), kept, seconds=lifetime + wanted.kind.stale(self.settings))
        return Copy(value, lifetime, asked_at)

    def _downloaded(self, wanted: Wanted[T]) -> tuple[bytes, float]:
        """The bytes at the URL, and for how many seconds they are fresh."""
        answer = self._http.get(wanted.url, fails_evenly=wanted.is_others)
        refuse_no_document(answer, wanted.url)
        return answer.body, lifetime_of(answer.cache_control, wanted.kind.lifetime(self.settings))

    def _give_up_with_others(self, wanted: Wanted[T]) -> None:
        """If another process has just failed while we waited for our turn, do not try again at once."""
        failure: Mapping[str, object] | None = self._store.get(f"failure:{_name(wanted)}") if self._store else None
        if failure is None:
            return
        code, at = failure.get("code"), failure.get("at")
        if code in PROVIDER and _is_number(at) and abs(self.clock() - at) < FIRST_PAUSE:
            raise ProviderError(code, reason="another process got this error a moment ago")

    @contextmanager
    def _in_turn(self, wanted: Wanted[T]) -> Iterator[None]:
        if self._store is None:
            yield
        else:
            with self._store.turn(f"turn:{_name(wanted)}", seconds=self.settings.total_timeout + 1):
                yield

    def _newer(self, wanted: Wanted[T], than: float | None) -> Copy[T] | None:
        """The copy of another process if it is fresh. An older one could bring back keys that were removed (K11)."""
        copy = self.of_others(wanted)
        if copy is None or (than is not None and copy.at <= than):
            return None
        stale = wanted.kind.stale(self.settings)
        age = freshness(self.clock() - copy.at, lifetime=copy.lifetime, stale=stale)
        return copy if age in (Freshness.FRESH, Freshness.AGING) else None


@lru_cache(maxsize=16)
def _parsed(document: bytes) -> KeySet:
    """Key sets with the same bytes are the same object, even at different URLs."""
    return KeySet.parse(document)


def read_keys(document: bytes) -> KeySet:
    """Read a key set that has a usable key; if there is none, the previous key set stays in use (K15).

    :raises ProviderError: ``key_set_unusable``.
    """
    keys = _parsed(document)
    if not keys.keys:
        raise ProviderError("key_set_unusable", reason=list(keys.reasons))
    return keys


def refuse_no_document(answer: HTTPResponse, url: str) -> None:
    """Raise an error if the answer is not a document in JSON.

    :raises ProviderError: ``provider_failing``, ``provider_not_found`` or ``response_unusable``.
    """
    refuse_failure(answer)
    if answer.status in (404, 410):
        raise ProviderError("provider_not_found", url=url)
    if answer.status != 200 or not is_json(answer.content_type):
        raise ProviderError("response_unusable", url=url, http_status=answer.status, got=answer.content_type)


def is_json(content_type: str) -> bool:
    """Whether an answer says that it is JSON."""
    name = content_type.partition(";")[0].strip().lower()
    return name in _JSON_TYPES or (name.startswith("application/") and name.endswith("+json"))


def _name(wanted: Wanted[T]) -> str:
    """The name of a copy in the store, which is the same in every process."""
    return f"{wanted.kind.name}:{wanted.url}"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

"""The providers that this process knows: a bounded mapping of issuer to ``Provider``, filled as they are needed."""

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ..protocol.keys import KeySet
from ..settings import ProviderSettings
from .copies import KEYS, Clock, Copies, Wanted, read_keys
from .documents import Document, Keeper, Listener
from .http import HTTPClient
from .provider import Provider

if TYPE_CHECKING:
    from .shared_store import SharedStore

MOST_UNPROVEN = 100


class Providers:
    """Providers by issuer; if there are too many, the least recently used one is dropped (K19).

    Those whose document was never fetched are kept apart: however many a stranger invents, no proven one is dropped for
    them (X05). A forked process starts with new ones, as neither locks nor connections may be shared (K20).

    :param clock: seconds since the epoch.
    :param tell: is called with an event's name and the issuer: ``metadata_renewed``, ``keys_renewed``,
        ``stale_metadata_served``, ``stale_keys_served``, ``provider_unavailable``, ``breaker_opened``,
        ``breaker_closed``. It must not raise.
    :param store: what this process shares with others, if there is one.
    """

    def __init__(
        self, settings: ProviderSettings, clock: Clock, tell: Listener, store: "SharedStore | None" = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._store = store
        self._begin()

    def provider(
        self, issuer: str, *, allowed_hosts: tuple[str, ...] = (), is_named: bool = True, is_others: bool = False
    ) -> Provider:
        """The provider of an issuer that the configuration trusts.

        :param allowed_hosts: hosts that its endpoints may be on besides its own.
        :param is_named: whether the configuration names it, rather than allowing every well-formed space.
        :param is_others: whether the issuer belongs to somebody else than the provider.
        """
        if self._process != os.getpid():
            self._begin()
        with self._lock:
            provider = self._proven.get(issuer)
            if provider is not None:
                self._proven.move_to_end(issuer)
                return provider
            provider = self._unproven.pop(issuer, None)
            if provider is None:
                provider = Provider(
                    issuer,
                    self._keeper,
                    self._http,
                    self._keys_at,
                    allowed_hosts=allowed_hosts,
                    is_named=is_named,
                    is_others=is_others,
                )
            self._keep(provider)
            return provider

    def _keep(self, provider: Provider) -> None:
        if provider.is_proven:
            self._proven[provider.issuer] = provider
            if len(self._proven) > self._settings.most_issuers:
                self._proven.popitem(last=False)
            return
        self._unproven[provider.issuer] = provider
        if len(self._unproven) > MOST_UNPROVEN:
            _, oldest = self._unproven.popitem(last=False)
            if oldest.is_proven:  # since it was last asked for
                self._keep(oldest)

    def _keys_at(self, url: str, is_others: bool) -> Document[KeySet]:
        """The key set at a URL, one for all issuers that name it."""
        with self._lock:
            document = self._key_sets.get(url)
            if document is None:
                document = self._key_sets[url] = Document(Wanted(KEYS, url, read_keys, is_others), self._keeper)
            return document

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._http = HTTPClient(self._settings)
        self._keeper = Keeper(Copies(self._settings, self._http, self._clock, self._store), self._tell)
        self._proven: OrderedDict[str, Provider] = OrderedDict()
        self._unproven: OrderedDict[str, Provider] = OrderedDict()
        self._key_sets: WeakValueDictionary[str, Document[KeySet]] = WeakValueDictionary()
        self._process = os.getpid()

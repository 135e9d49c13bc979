"""The providers that this process knows: issuer to ``Provider``, bounded, each made when first asked for."""

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from .http import HTTPClient
from .provider import Listener, Provider
from .settings import ProviderSettings
from .copies import Clock

if TYPE_CHECKING:
    from .shared_store import SharedStore


class Directory:
    """Providers by issuer; the least recently used goes when there are too many (security.md K19).

    A process that was forked from another begins anew: neither locks nor connections are shared (K20).
    """

    def __init__(
        self, settings: ProviderSettings, clock: Clock, listener: Listener, store: "SharedStore | None" = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._listener = listener
        self._store = store
        self._begin()

    def provider(self, issuer: str) -> Provider:
        """The provider of an issuer that the configuration trusts."""
        if self._process != os.getpid():
            self._begin()
        with self._lock:
            provider = self._providers.get(issuer)
            if provider is None:
                provider = Provider(issuer, self._settings, self._http, self._clock, self._listener, self._store)
                self._providers[issuer] = provider
                if len(self._providers) > self._settings.most_issuers:
                    self._providers.popitem(last=False)
            else:
                self._providers.move_to_end(issuer)
            return provider

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._http = HTTPClient(self._settings)
        self._providers: OrderedDict[str, Provider] = OrderedDict()
        self._process = os.getpid()

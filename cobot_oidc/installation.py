"""What ``init_app`` leaves in ``app.extensions["cobot_oidc"]``, and how every room finds it."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from flask import Flask

from .proxies import the_app
from .settings import Settings
from .signals import oidc_event
from .spaces import SpaceReader

if TYPE_CHECKING:
    from .provider.providers import Directory
    from .provider.shared_store import SharedStore
    from .used_states import UsedStates

T = TypeVar("T")
Clock = Callable[[], float]  # seconds since the epoch

logger = logging.getLogger("cobot_oidc")

_LEVELS = {"metadata_renewed": logging.DEBUG} | dict.fromkeys(
    ("login_started", "logged_in", "logged_out", "keys_renewed", "breaker_closed", "store_available"), logging.INFO
)


class Installation:
    """One app's extension: its settings, how a request names its space, the clock, and what logins share.

    The latter is made by the first login: the rooms behind it take longer to import than the rest of the app's start.
    """

    def __init__(self, app: Flask, settings: Settings, read_space: SpaceReader | None, clock: Clock) -> None:
        self.settings = settings
        self.read_space = read_space
        self.clock = clock
        self._app = app
        self._shared: dict[str, object] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()

    @property
    def directory(self) -> "Directory":
        """The providers that this app knows."""
        from .provider.providers import Directory

        return self._once("directory", lambda: Directory(self.settings.provider, self.clock, self.tell, self._store))

    @property
    def used_states(self) -> "UsedStates":
        """The logins that were answered already."""
        from .used_states import UsedStates

        return self._once("used_states", lambda: UsedStates(self._store))

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """How often each event happened in this process, by name and code (``""`` but for ``login_failed``)."""
        with self._counting:
            return dict(self._counts)

    def tell(self, event: str, issuer: str | None = None, *, seconds: float | None = None) -> None:
        """Tell the operator what happened: a log record with the fields ``event`` and ``issuer``, a count, a signal."""
        level = _LEVELS.get(event, logging.WARNING)
        logger.log(level, "%s: %s", event, issuer or "-", extra={"event": event, "issuer": issuer})
        self.count(event, issuer, seconds=seconds)

    def count(
        self, event: str, issuer: str | None = None, *, code: str | None = None, seconds: float | None = None
    ) -> None:
        """Count an event that has a log record of its own, and send the signal. A handler that fails stops nobody."""
        with self._counting:
            self._counts[event, code or ""] += 1
        try:
            oidc_event.send(self._app, event=event, issuer=issuer, code=code, seconds=seconds)
        except Exception:
            logger.exception("a handler of oidc_event failed at %s", event)

    @property
    def _store(self) -> "SharedStore | None":
        url = self.settings.redis_url
        if url is None:
            return None
        from .provider.shared_store import SharedStore

        key = cast("str | bytes", self._app.secret_key)
        secret = key.encode() if isinstance(key, str) else key
        return self._once("store", lambda: SharedStore(url, secret, clock=self.clock, tell=self.tell))

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """The same for every thread. Without a lock, which a fork could copy while it is held (security.md K20)."""
        if name not in self._shared:
            self._shared.setdefault(name, make())
        return cast(T, self._shared[name])


def installation() -> Installation:
    """The installation of the current app."""
    here: Installation = the_app().extensions["cobot_oidc"]
    return here

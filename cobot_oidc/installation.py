"""What ``init_app`` leaves in ``app.extensions["cobot_oidc"]``, and how every room finds it."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, TypeVar, cast

from flask import Flask

from .context import the_app
from .errors import ConfigurationError
from .identity.ended_logins import EndedLogins
from .identity.sessions import Terms
from .settings import Settings
from .signals import oidc_event
from .spaces import SpaceReader

if TYPE_CHECKING:
    from .login.used_states import UsedStates
    from .provider.providers import Providers
    from .provider.shared_store import SharedStore

T = TypeVar("T")
Clock = Callable[[], float]  # seconds since the epoch

logger = logging.getLogger("cobot_oidc")

_LEVELS = {"metadata_renewed": logging.DEBUG} | dict.fromkeys(
    ("login_started", "logged_in", "logged_out", "keys_renewed", "breaker_closed", "store_available"), logging.INFO
)
_MISSING = (
    "the claim %r of COBOT_OIDC_CLAIMS is not in the id token, or not fit for use; "
    "set COBOT_OIDC_USERINFO to True to ask the userinfo endpoint too"
)


class Installation:
    """One app's extension: its settings, how a request names its space, the clock, and what logins share.

    The latter is made by the first login: the rooms behind it take longer to import than the rest of the app's start.
    """

    def __init__(self, app: Flask, settings: Settings, read_space: SpaceReader | None, clock: Clock) -> None:
        self.settings = settings
        self.read_space = read_space
        self.clock = clock
        self.terms = Terms.of(
            settings.claims, lifetime=settings.session_lifetime, idle_lifetime=settings.session_idle_lifetime
        )
        self.ended_logins = EndedLogins(clock, settings.session_lifetime, secret=self._secret, store=self._store)
        self._app = app
        self._shared: dict[str, object] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()
        self._missing: set[str] = set()

    @property
    def providers(self) -> "Providers":
        """The providers that this app knows."""
        from .provider.providers import Providers

        return self._once("providers", lambda: Providers(self.settings.provider, self.clock, self.tell, self._store()))

    @property
    def used_states(self) -> "UsedStates":
        """The logins that were answered already."""
        from .login.used_states import UsedStates

        return self._once("used_states", lambda: UsedStates(self._store()))

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

    def tell_missing(self, wanted: Iterable[str], came: Collection[str]) -> None:
        """Tell the operator, once for each, which claims do not come, if the app asked for them by name."""
        if "COBOT_OIDC_CLAIMS" not in self._app.config:
            return  # not every issuer has the usual ones, and nobody wonders about it
        with self._counting:
            missing = [claim for claim in wanted if claim not in came and claim not in self._missing]
            self._missing.update(missing)
        for claim in missing:
            logger.info(_MISSING, claim, extra={"event": "claim_missing", "claim": claim})

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

    def _store(self) -> "SharedStore | None":
        url = self.settings.redis_url
        if url is None:
            return None
        from .provider.shared_store import SharedStore

        return self._once("store", lambda: SharedStore(url, self._secret(), clock=self.clock, tell=self.tell))

    def _secret(self) -> bytes:
        key = cast("str | bytes", self._app.secret_key)
        return key.encode() if isinstance(key, str) else key

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """The same for every thread. Without a lock, which a fork could copy while it is held (K20)."""
        if name not in self._shared:
            self._shared.setdefault(name, make())
        return cast(T, self._shared[name])


def installation(app: Flask | None = None) -> Installation:
    """The installation of an app, or of the current one.

    :raises ConfigurationError: ``not_installed`` if ``init_app`` was never called for it.
    """
    try:
        installed: Installation = (app or the_app()).extensions["cobot_oidc"]
    except KeyError:
        raise ConfigurationError("not_installed", app=(app or the_app()).name) from None
    return installed

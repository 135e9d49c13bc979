"""What ``init_app`` leaves in ``app.extensions["cobot_oidc"]``, and how every room finds it."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import current_app

from .settings import Settings
from .spaces import SpaceReader

if TYPE_CHECKING:
    from .provider.directory import Directory
    from .used_states import UsedStates

Clock = Callable[[], float]  # seconds since the epoch

logger = logging.getLogger("cobot_oidc")


class Installation:
    """One app's extension: its settings, how a request names its space, the clock, and what logins share.

    The latter is made by the first login: the rooms behind it take longer to import than the rest of the app's start.
    """

    def __init__(self, settings: Settings, read_space: SpaceReader | None, clock: Clock) -> None:
        self.settings = settings
        self.read_space = read_space
        self.clock = clock
        self._lock = threading.Lock()
        self._directory: Directory | None = None
        self._used_states: UsedStates | None = None

    @property
    def directory(self) -> "Directory":
        """The providers that this app knows."""
        if self._directory is None:
            from .provider.directory import Directory

            with self._lock:
                if self._directory is None:
                    self._directory = Directory(self.settings.provider, self.clock, log_event)
        return self._directory

    @property
    def used_states(self) -> "UsedStates":
        """The logins that were answered already."""
        if self._used_states is None:
            from .used_states import UsedStates

            with self._lock:
                if self._used_states is None:
                    self._used_states = UsedStates()
        return self._used_states


def installation() -> Installation:
    """The installation of the current app."""
    here: Installation = current_app.extensions["cobot_oidc"]
    return here


_LEVELS = {
    "metadata_renewed": logging.DEBUG,
    "keys_renewed": logging.INFO,
    "breaker_closed": logging.INFO,
} | dict.fromkeys(("login_started", "logged_in", "logged_out"), logging.INFO)


def log_event(event: str, issuer: str) -> None:
    """Tell the operator what happened at an issuer, in a log record with the fields ``event`` and ``issuer``."""
    logger.log(_LEVELS.get(event, logging.WARNING), "%s: %s", event, issuer, extra={"event": event, "issuer": issuer})

"""What ``init_app`` leaves in ``app.extensions["cobot_oidc"]``, and how every room finds it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from flask import current_app

from .config import Settings
from .spaces import SpaceReader

if TYPE_CHECKING:
    from .provider import Directory
    from .used_states import UsedStates

Clock = Callable[[], float]  # seconds since the epoch


@dataclass(frozen=True)
class Installation:
    """One app's extension: its settings, how a request names its space, the clock, and what a login needs."""

    settings: Settings
    read_space: SpaceReader | None
    clock: Clock
    _made: dict[str, object] = field(default_factory=dict, repr=False)

    @cached_property
    def directory(self) -> "Directory":
        """The providers, made at the first login: the rooms behind them are dear to import."""
        from .provider import Directory

        return Directory(self.settings.provider, self.clock)


def installation() -> Installation:
    """The installation of the current app."""
    here: Installation = current_app.extensions["cobot_oidc"]
    return here

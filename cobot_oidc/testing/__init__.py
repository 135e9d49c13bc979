"""For the tests of your own app: people who are logged in without a provider, or who log in at the stand-in Cobot.

Names are imported when they are first used, as pytest imports this package in every project that has it installed.
Nothing of it works unless ``app.testing`` is set.
"""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from .logins import log_in, log_out
    from .visitor import BrowserClient, Visitor

__all__ = ["BrowserClient", "Visitor", "log_in", "log_out"]

if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name
    __getattr__, __dir__ = lazy_names(__name__, __all__, (".logins", ".visitor"))

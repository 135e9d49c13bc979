"""What happens to logins, told to the operator and to the app. No secret is ever in it.

The signals that an app can connect to (blinker), whose sender is the app:

- ``user_logged_in(app, user=User)`` is sent once the session contains the user, before the browser is redirected. If a
  handler raises an exception, such as with ``abort(403)``, the login is undone. A handler that takes ``api`` gets a
  ``CobotAPI`` with the login's token, to be used until the login has ended.
- ``user_logged_out(app, user=User)`` is sent once for each identity that was logged out.
- ``login_failed(app, error=CobotOIDCError)`` is sent for every login that failed.
- ``oidc_event(app, event=str, issuer=str | None, code=str | None, seconds=float | None)`` is sent for every event that
  is counted, in the thread in which it happens; it is meant for metrics. ``docs/provider.md`` lists the events.
"""

import logging
import threading
from collections import Counter
from collections.abc import Collection, Iterable

from blinker import Namespace
from flask import Flask

_signals = Namespace()

user_logged_in = _signals.signal("cobot-oidc-user-logged-in")
user_logged_out = _signals.signal("cobot-oidc-user-logged-out")
login_failed = _signals.signal("cobot-oidc-login-failed")
oidc_event = _signals.signal("cobot-oidc-event")

logger = logging.getLogger("cobot_oidc")

_LEVELS = dict.fromkeys(("metadata_renewed", "token_renewed"), logging.DEBUG) | dict.fromkeys(
    (
        "login_started",
        "logged_in",
        "logged_out",
        "logged_out_by_provider",
        "frame_logged_in",
        "keys_renewed",
        "breaker_closed",
        "store_available",
    ),
    logging.INFO,
)
_MISSING = (
    "the claim %r of COBOT_OIDC_CLAIMS is not in the id token, or not fit for use; "
    "set COBOT_OIDC_USERINFO to True to ask the userinfo endpoint too"
)


class Events:
    """What happened in this process to the logins of one app: told once, and counted. Safe between threads."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._counts: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()
        self._missing: set[str] = set()

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """How often each event happened in this process, by name and code (``""`` but for failures)."""
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

"""The signals that an app can connect to (blinker). Their sender is the app, and they never carry a secret.

- ``user_logged_in(app, user=User)`` is sent once the session contains the user, before the browser is redirected. If a
  handler raises an exception, such as with ``abort(403)``, the login is undone.
- ``user_logged_out(app, user=User)`` is sent once for each identity that was logged out.
- ``login_failed(app, error=CobotOIDCError)`` is sent for every login that failed.
- ``oidc_event(app, event=str, issuer=str | None, code=str | None, seconds=float | None)`` is sent for every event that
  is counted, in the thread in which it happens; it is meant for metrics. ``docs/provider.md`` lists the events.
"""

from blinker import Namespace

_signals = Namespace()

user_logged_in = _signals.signal("cobot-oidc-user-logged-in")
user_logged_out = _signals.signal("cobot-oidc-user-logged-out")
login_failed = _signals.signal("cobot-oidc-login-failed")
oidc_event = _signals.signal("cobot-oidc-event")

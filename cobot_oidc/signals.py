"""The signals that an app can listen to (blinker). Handlers get the app as sender, and never a secret.

- ``user_logged_in(app, user=User)`` after the session holds the user, before the browser is sent on. A handler that
  raises (``abort(403)``, say) undoes the login.
- ``user_logged_out(app, user=User)`` once for each identity that ended.
- ``login_failed(app, error=CobotOIDCError)`` for every login that ended without a user.
- ``oidc_event(app, event=str, issuer=str | None, code=str | None, seconds=float | None)`` for every event that has a
  count, in whichever thread it happens: what metrics hang on. ``docs/provider.md`` lists the events.
"""

from blinker import Namespace

_signals = Namespace()

user_logged_in = _signals.signal("cobot-oidc-user-logged-in")
user_logged_out = _signals.signal("cobot-oidc-user-logged-out")
login_failed = _signals.signal("cobot-oidc-login-failed")
oidc_event = _signals.signal("cobot-oidc-event")

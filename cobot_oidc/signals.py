"""The signals that an app can listen to (blinker). Handlers get the app as sender, and never a secret.

- ``user_logged_in(app, user=User)`` after the session holds the user, before the browser is sent on. A handler that
  raises (``abort(403)``, say) undoes the login.
- ``user_logged_out(app, user=User)`` once for each identity that ended.
- ``login_failed(app, error=CobotOIDCError)`` for every login that ended without a user.
"""

from blinker import Namespace

_signals = Namespace()

user_logged_in = _signals.signal("cobot-oidc-user-logged-in")
user_logged_out = _signals.signal("cobot-oidc-user-logged-out")
login_failed = _signals.signal("cobot-oidc-login-failed")

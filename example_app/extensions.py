"""What several modules use; ``create_app`` gives it the app."""

from flask_wtf.csrf import CSRFProtect

from cobot_oidc import CobotOIDC, from_view_arg

oidc = CobotOIDC(space=from_view_arg("space"))
csrf = CSRFProtect()

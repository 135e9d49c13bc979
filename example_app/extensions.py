"""The extension, which several modules use; ``create_app`` gives it the app."""

from cobot_oidc import CobotOIDC, from_view_arg

oidc = CobotOIDC(space=from_view_arg("space"))

from flask import Flask

from cobot_oidc import CobotOIDC, current_user, login_required

app = Flask(__name__)
app.config.from_prefixed_env()
CobotOIDC(app)


@app.get("/")
@login_required
def home():
    return f"Hello {current_user.name}"

from flask import Flask, session
from flask_oidc import OpenIDConnect

app = Flask(__name__)
app.config.from_prefixed_env()
oidc = OpenIDConnect(app)


@app.get("/")
@oidc.require_login
def home():
    return f"Hello {session['oidc_auth_profile']['name']}"

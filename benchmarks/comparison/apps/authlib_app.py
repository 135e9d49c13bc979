from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

app = Flask(__name__)
app.config.from_prefixed_env()
oauth = OAuth(app)
oauth.register("provider", client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"})


@app.get("/")
def home():
    if "user" not in session:
        return redirect(url_for("login"))
    return f"Hello {session['user']['name']}"


@app.get("/login")
def login():
    return oauth.provider.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    session["user"] = oauth.provider.authorize_access_token()["userinfo"]
    return redirect(url_for("home"))


@app.post("/logout")
def logout():
    session.pop("user", None)
    return redirect(url_for("home"))

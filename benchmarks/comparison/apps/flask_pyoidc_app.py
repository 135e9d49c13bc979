from flask import Flask, session
from flask_pyoidc import OIDCAuthentication
from flask_pyoidc.provider_configuration import ClientMetadata, ProviderConfiguration
from flask_pyoidc.user_session import UserSession

app = Flask(__name__)
app.config.from_prefixed_env()
provider = ProviderConfiguration(
    issuer=app.config["ISSUER"],
    client_metadata=ClientMetadata(app.config["CLIENT_ID"], app.config["CLIENT_SECRET"]),
    auth_request_params={"scope": ["openid", "email", "profile"]},
)
oidc = OIDCAuthentication({"provider": provider}, app)


@app.get("/")
@oidc.oidc_auth("provider")
def home():
    return f"Hello {UserSession(session).userinfo['name']}"


@app.get("/logout")
@oidc.oidc_logout
def logout():
    return "You are logged out."

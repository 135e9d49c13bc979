"""django-oauth-toolkit with a person, the clients and a key of the file that is its argument.

Runs in an environment of its own.
"""

import json
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from jwcrypto.jwk import JWK

WORLD = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
DATABASE = Path(WORLD["folder"]) / "database.sqlite3"
SIGNING_KEY = next(key for key in WORLD["keys"] if key["alg"] == "RS256")

DATABASE.unlink(missing_ok=True)
settings.configure(
    DEBUG=True,
    SECRET_KEY="a key for sessions that live for a minute",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="server",
    LOGIN_URL="/admin/login/",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="/static/",
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": WORLD["issuer"],
        "OIDC_RSA_PRIVATE_KEY": JWK(**SIGNING_KEY).export_to_pem(private_key=True, password=None).decode(),
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "OAUTH2_VALIDATOR_CLASS": "server.Validator",
        "SCOPES": {"openid": "Who you are", "email": "Your email", "profile": "Your name"},
    },
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402

urlpatterns = [
    path("admin/", admin.site.urls),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]


class Validator(OAuth2Validator):  # type: ignore[misc]
    """Says which claims there are, as the toolkit's documentation has it."""

    oidc_claim_scope = OAuth2Validator.oidc_claim_scope | {"name": "profile", "email": "email"}

    def get_additional_claims(self) -> dict[str, Any]:
        """Each claim, and where it comes from."""
        return {"name": lambda request: request.user.get_full_name(), "email": lambda request: request.user.email}


def furnish() -> None:
    """Make the tables, the person and the clients."""
    call_command("migrate", verbosity=0)
    person = WORLD["person"]
    names = {key: person[key] for key in ("email", "password")}
    ada = User.objects.create_user(
        person["login"], **names, first_name=person["given_name"], last_name=person["family_name"]
    )
    ada.is_staff = True  # as only those may log in at Django's own login page
    ada.save()
    for client in WORLD["clients"]:
        public = client["token_endpoint_auth_method"] == "none"
        Application.objects.create(
            name=client["client_name"],
            client_id=client["client_id"],
            client_secret=client.get("client_secret", ""),
            client_type=Application.CLIENT_PUBLIC if public else Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            algorithm=Application.RS256_ALGORITHM,
            redirect_uris=" ".join(client["redirect_uris"]),
            post_logout_redirect_uris=" ".join(client["post_logout_redirect_uris"]),
        )


if __name__ == "__main__":
    sys.modules["server"] = sys.modules[__name__]
    furnish()
    call_command("runserver", f"127.0.0.1:{WORLD['port']}", use_reloader=False)

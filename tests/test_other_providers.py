"""The settings that docs/other-providers.md gives fit what the providers say of themselves.

The endpoints are those of the providers' documentation and of recorded documents.
"""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from dotenv import dotenv_values
from flask import Flask

from cobot_oidc import CobotOIDC
from cobot_oidc.errors import ConfigurationError, ProviderError
from cobot_oidc.protocol import ProviderMetadata

from .conftest import SECRET_KEY
from .samples import samples

TENANT = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555"


def document(
    issuer: str, authorization: str, token: str, keys: str, userinfo: str, end_session: str | None = None
) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": authorization,
        "token_endpoint": token,
        "jwks_uri": keys,
        "userinfo_endpoint": userinfo,
        "end_session_endpoint": end_session,
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def below(issuer: str, base: str, *paths: str) -> dict[str, Any]:
    return document(issuer, *(base + path for path in paths))


REALM = "https://login.example.com/realms/members"
DOCUMENTS = {
    "Google": document(
        "https://accounts.google.com",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com/oauth2/v3/certs",
        "https://openidconnect.googleapis.com/v1/userinfo",
    ),
    "Microsoft Entra": document(
        f"{TENANT}/v2.0",
        f"{TENANT}/oauth2/v2.0/authorize",
        f"{TENANT}/oauth2/v2.0/token",
        f"{TENANT}/discovery/v2.0/keys",
        "https://graph.microsoft.com/oidc/userinfo",
        f"{TENANT}/oauth2/v2.0/logout",
    ),
    "Keycloak": below(REALM, f"{REALM}/protocol/openid-connect", "/auth", "/token", "/certs", "/userinfo", "/logout"),
    "Auth0": below(
        "https://your-tenant.eu.auth0.com/",
        "https://your-tenant.eu.auth0.com",
        "/authorize",
        "/oauth/token",
        "/.well-known/jwks.json",
        "/userinfo",
        "/oidc/logout",
    ),
    "Okta": below(
        "https://your-org.okta.com",
        "https://your-org.okta.com/oauth2/v1",
        "/authorize",
        "/token",
        "/keys",
        "/userinfo",
        "/logout",
    ),
    "authentik": below(
        "https://login.example.com/application/o/portal/",
        "https://login.example.com/application/o",
        "/authorize/",
        "/token/",
        "/portal/jwks/",
        "/userinfo/",
        "/portal/end-session/",
    ),
    "Dex": below(
        "https://login.example.com/dex", "https://login.example.com/dex", "/auth", "/token", "/keys", "/userinfo"
    ),
    "Ory Hydra": below(
        "https://login.example.com",
        "https://login.example.com",
        "/oauth2/auth",
        "/oauth2/token",
        "/.well-known/jwks.json",
        "/userinfo",
        "/oauth2/sessions/logout",
    ),
}


def settings_of_the_page() -> Iterator[tuple[str, dict[str, str]]]:
    for sample in samples():
        if sample.page.name == "other-providers.md" and "(" not in sample.place:
            values = dotenv_values(stream=io.StringIO(sample.code)).items()
            yield sample.place.partition(", ")[2], {name.removeprefix("FLASK_"): value or "" for name, value in values}


SETTINGS = dict(settings_of_the_page())


def test_every_provider_of_the_page_is_covered() -> None:
    assert set(SETTINGS) == set(DOCUMENTS)


@pytest.mark.parametrize("provider", DOCUMENTS)
def test_the_settings_of_the_page_accept_the_providers_document(provider: str) -> None:
    settings = SETTINGS[provider]

    metadata = ProviderMetadata.parse(
        DOCUMENTS[provider],
        issuer=settings["COBOT_OIDC_ISSUER"],
        allowed_hosts=settings.get("COBOT_OIDC_ALLOWED_HOSTS", "").split(),
    )

    assert metadata.token_endpoint == DOCUMENTS[provider]["token_endpoint"]


@pytest.mark.parametrize(
    "provider", [name for name, settings in SETTINGS.items() if "COBOT_OIDC_ALLOWED_HOSTS" in settings]
)
def test_each_allowed_host_of_the_page_is_needed(provider: str) -> None:
    hosts = SETTINGS[provider]["COBOT_OIDC_ALLOWED_HOSTS"].split()
    for host in hosts:
        with pytest.raises(ProviderError, match="endpoint_forbidden"):
            ProviderMetadata.parse(
                DOCUMENTS[provider],
                issuer=SETTINGS[provider]["COBOT_OIDC_ISSUER"],
                allowed_hosts=[other for other in hosts if other != host],
            )


def test_entras_common_tenant_is_refused_as_the_page_says() -> None:
    common = DOCUMENTS["Microsoft Entra"] | {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}
    with pytest.raises(ProviderError, match="metadata_issuer_mismatch"):
        ProviderMetadata.parse(
            common,
            issuer="https://login.microsoftonline.com/common/v2.0",
            allowed_hosts=["graph.microsoft.com"],
        )


def test_hs256_cannot_be_configured_as_the_page_says() -> None:
    app = Flask("portal")
    app.config.update(SECRET_KEY=SECRET_KEY, COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_ALGORITHMS="HS256")
    with pytest.raises(ConfigurationError):
        CobotOIDC(app)

"""Dynamic client registration at the stand-in (RFC 7591), by Authlib's endpoint; what Cobot's does is not known."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc7591 import (
    ClientRegistrationEndpoint,
    InvalidClientMetadataError,
    InvalidRedirectURIError,
)
from flask import Flask, Response, jsonify, request

from .state import RegisteredClient, State

METHODS = ("client_secret_post", "client_secret_basic", "none")
SCOPES = ("openid", "email", "profile", "read_user")


def add_registration(app: Flask, server: AuthorizationServer, state: State) -> None:
    """Answer ``POST /oauth/register`` at the global provider."""
    server.register_endpoint(type("Registration", (_Registration,), {"state": state}))

    @app.post("/oauth/register", endpoint="registration")
    def registration() -> Any:
        if state.issuer_at(request.host) != state.issuer:
            return "", 404
        response: Response = server.create_endpoint_response(_Registration.ENDPOINT_NAME)
        if response.status_code == 201:
            answer = state.alterations.apply("registration", state.issuer, response.get_json())
            state.secrets.update(
                str(answer[name]) for name in ("client_secret", "registration_access_token") if answer.get(name)
            )
            response.data = jsonify(answer).data
        return response


class _Registration(ClientRegistrationEndpoint):  # type: ignore[misc] # Authlib is untyped here
    state: State

    def authenticate_token(self, _request: Any) -> bool:
        return True  # open to everybody

    def get_server_metadata(self) -> dict[str, Any]:
        return {}

    def extract_client_metadata(self, asked: Any) -> dict[str, Any]:
        members: dict[str, Any] = super().extract_client_metadata(asked)
        uris = members.get("redirect_uris")
        if not isinstance(uris, list) or len(uris) != 1 or not _is_redirect_uri(uris[0]):
            raise InvalidRedirectURIError(description="exactly one redirect URI, with https except on localhost")
        if members["token_endpoint_auth_method"] not in METHODS or members.get("response_types") != ["code"]:
            raise InvalidClientMetadataError(description=f"response type code, and one of {' '.join(METHODS)}")
        scopes = [scope for scope in members.get("scope", "").split() if scope in SCOPES]
        return members | {"scope": " ".join(scopes)}

    def generate_client_info(self, asked: Any) -> dict[str, Any]:
        info: dict[str, Any] = {"client_id": secrets.token_hex(16), "client_id_issued_at": int(self.state.clock())}
        if asked.payload.data.get("token_endpoint_auth_method") != "none":
            info |= {"client_secret": secrets.token_hex(32), "client_secret_expires_at": 0}
        return info

    def save_client(self, info: dict[str, Any], members: dict[str, Any], _request: Any) -> RegisteredClient:
        client = RegisteredClient(
            info["client_id"],
            info.get("client_secret"),
            members["redirect_uris"][0],
            members.get("client_name", "An app"),
            tuple(members["scope"].split()),
        )
        self.state.clients[client.client_id] = client
        return client


def _is_redirect_uri(uri: Any) -> bool:
    parts = urlsplit(uri) if isinstance(uri, str) else urlsplit("")
    is_local = parts.hostname in ("localhost", "127.0.0.1") or (parts.hostname or "").endswith(".localhost")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_local))

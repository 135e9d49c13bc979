"""The stand-in as a WSGI app: what each host and path answers (docs/cobot.md 1-4)."""

import json
import secrets
import uuid
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from joserfc import jwt
from werkzeug.exceptions import HTTPException

from . import api_one, api_two, json_api
from .access import bearer
from .authorization_server import authorization_server, claims_about
from .pages import pages
from .pushed_requests import add_pushed_requests
from .registration import add_registration
from .revocation import add_revocation
from .state import RecordedRequest, State

SECRETS = (  # parameters that clients send
    "state",
    "nonce",
    "code",
    "code_verifier",
    "client_secret",
    "client_assertion",
    "refresh_token",
)
SCOPES = ("openid", "email", "profile")


def create_app(state: State) -> Flask:
    """The app of one stand-in. It only answers on the loopback."""
    app = Flask(__name__)
    app.secret_key = secrets.token_hex()
    # Lax: everything that people do here happens in a window of the stand-in's own, never in a frame.
    app.config.update(SESSION_COOKIE_NAME="standin", SESSION_COOKIE_SAMESITE="Lax")
    server = authorization_server(app, state)

    @app.before_request
    def guard() -> None:
        state.requests.append(RecordedRequest(request.method, request.host, request.path))
        state.secrets.update(request.values[name] for name in SECRETS if request.values.get(name))
        if request.remote_addr not in ("127.0.0.1", "::1") or not _is_local(request.host):
            abort(
                403, "This stand-in only answers on this machine. It is not Cobot, and must not be used in production."
            )
        _learn_tokens(state)
        if request.blueprint is not None or state.is_api(request.host):
            _look_at_host(state)

    @app.after_request
    def alter(response: Response) -> Response:
        return _altered(state, response)

    @app.get("/.well-known/openid-configuration", endpoint="metadata")
    def metadata() -> Response:
        return _said(state, "metadata", _metadata(state, _issuer(state)))

    @app.get("/jwks.json", endpoint="key_set")
    def key_set() -> Response:
        return _said(state, "key_set", state.keys.document())

    @app.post("/oauth/access_token", endpoint="token")
    def token() -> Response:
        state.token_requests.append(request.form.to_dict(flat=False))
        response: Response = server.create_token_response()
        if response.is_json:
            state.secrets.update(
                str(response.get_json().get(name, "")) for name in ("access_token", "id_token", "refresh_token")
            )
            state.secrets.discard("")
            response.data = jsonify(state.alterations.apply("token", _issuer(state), response.get_json())).data
        return response

    @app.get("/api/userinfo", endpoint="userinfo")
    def userinfo() -> Response:
        token = bearer(state)
        claims = claims_about(token.person, state.space_at(request.host), token.scope)
        if state.signs_userinfo:
            return _signed_userinfo(state, {"iss": _issuer(state), "aud": token.client_id, **claims})
        return _said(state, "userinfo", claims)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Any:
        if state.is_api(request.host):
            return json_api.failed(error)
        # A pitfall of Cobot: on www any unknown *.json is valid JSON about something else, with status 200.
        if error.code == 404 and state.issuer_at(request.host) == state.issuer and request.path.endswith(".json"):
            return jsonify({"name": "Cobot", "locale": "en", "features": []})
        return api_one.failed(error) if request.path.startswith("/api/") else error

    app.register_blueprint(api_one.api_one(state))
    app.register_blueprint(api_two.api_two(state))
    add_registration(app, server, state)
    add_pushed_requests(app, server, state)
    add_revocation(app, server, state)
    app.register_blueprint(pages(state, server))
    return app


def _look_at_host(state: State) -> None:
    """The API's second generation has a host of its own, and nothing else is there; the first is where issuers are."""
    if request.routing_exception is None and state.is_api(request.host) != (request.blueprint == "api_two"):
        abort(404)
    if request.blueprint == "api_one":
        _issuer(state)


def _issuer(state: State) -> str:
    issuer = state.issuer_at(request.host)
    if issuer is None:
        abort(404)
    return issuer


def _is_local(host: str) -> bool:
    name = host.partition(":")[0]
    return name in ("localhost", "127.0.0.1") or name.endswith(".localhost")


def _metadata(state: State, issuer: str) -> dict[str, Any]:
    """As recorded at Cobot: only ``none`` for authentication, and nothing that Cobot does not have."""
    claims = ["sub", "email", "iss", "profile"]
    if issuer != state.issuer:
        claims += ["name", "picture", "phone_number"]
    document: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/access_token",
        "userinfo_endpoint": f"{issuer}/api/userinfo",
        "jwks_uri": f"{issuer if _has_own_domain(state) else state.issuer}/jwks.json",
        "registration_endpoint": f"{state.issuer}/oauth/register",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "claims_supported": claims,
        **_beyond_cobot(state, issuer),
        "claims_parameter_supported": False,
        "client_id_metadata_document_supported": True,
    }
    if state.refresh is not None:
        document["grant_types_supported"] += ["refresh_token"]
        document["revocation_endpoint"] = f"{issuer}/oauth/revoke"
    if state.offers_logout:
        document["end_session_endpoint"] = f"{issuer}/oauth/logout"
        document |= {"backchannel_logout_supported": True, "backchannel_logout_session_supported": True}
    return document


def _beyond_cobot(state: State, issuer: str) -> dict[str, Any]:
    """What Cobot's document does not have, but that of a provider of this kind."""
    members: dict[str, Any] = {}
    if state.pushing is not None:
        members["pushed_authorization_request_endpoint"] = f"{issuer}/oauth/par"
    if state.pushing == "required":
        members["require_pushed_authorization_requests"] = True
    return members


def _has_own_domain(state: State) -> bool:
    return request.host.partition(":")[0] in state.domains


def _said(state: State, part: str, document: dict[str, Any]) -> Response:
    return jsonify(state.alterations.apply(part, _issuer(state), document))


def _signed_userinfo(state: State, claims: dict[str, Any]) -> Response:
    """OpenID Connect Core 5.3.2, for a client with ``userinfo_signed_response_alg``."""
    issuer = _issuer(state)
    header = {"alg": state.keys.algorithm, "kid": state.keys.kid}
    header = state.alterations.apply("userinfo_header", issuer, header)
    claims = state.alterations.apply("userinfo", issuer, claims)
    signed = jwt.encode(header, claims, state.keys.signing_key, algorithms=[state.keys.algorithm])
    return Response(state.alterations.apply("userinfo_jwt", issuer, signed), content_type="application/jwt")


def _learn_tokens(state: State) -> None:
    """Remember the access tokens of this request as secrets."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        state.secrets.add(token)
    if request.view_args and "token" in request.view_args:
        state.secrets.add(request.view_args["token"])


def _part(state: State) -> str | None:
    """The part of the answers that this request is about, by the name that alterations use."""
    is_api = state.is_api(request.host) or request.path.startswith("/api/")
    return "api" if is_api and request.endpoint != "userinfo" else request.endpoint


def _altered(state: State, response: Response) -> Response:
    part, path = _part(state), request.path
    issuer = state.api if state.is_api(request.host) else state.issuer_at(request.host)
    if part == "api":
        response.headers["X-Request-Id"] = str(uuid.uuid4())
    if issuer is None or part is None:
        return response
    if part == "api" and response.is_json and state.alterations.concern("api"):
        document = state.alterations.apply("api", issuer, json.loads(response.data), path)
        response.data = json.dumps(document)
    reply = state.alterations.apply(f"reply:{part}", issuer, None, path)
    if reply is None:
        return response
    if reply.delay:
        state.stopping.wait(reply.delay)
    if reply.status is not None:
        response.status_code = reply.status
    if reply.body is not None:
        response.data = reply.body
    response.headers.update(reply.headers)
    return response

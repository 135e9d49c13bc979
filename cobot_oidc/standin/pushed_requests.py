"""Pushed authorization requests (RFC 9126), which Cobot does not take, but other providers demand."""

import secrets
from collections.abc import Mapping
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import Flask, Response, jsonify, request

from .authentication import METHODS
from .state import PushedRequest, State

LIFETIME = 60  # seconds
PREFIX = "urn:ietf:params:oauth:request_uri:"
_OF_THE_CLIENT = ("client_secret", "client_assertion", "client_assertion_type")


class PushedPayload(BasicOAuth2Payload):  # type: ignore[misc] # Authlib is untyped here
    """The parameters of a pushed request, in place of those of the URL."""

    def __init__(self, parameters: Mapping[str, list[str]]) -> None:
        super().__init__({name: values[0] for name, values in parameters.items()})
        self._datalist = dict(parameters)


def add_pushed_requests(app: Flask, server: AuthorizationServer, state: State) -> None:
    """Answer ``POST /oauth/par`` while pushed requests are taken."""

    @app.post("/oauth/par", endpoint="pushed_request")
    def push() -> Any:
        issuer = state.issuer_at(request.host)
        if state.pushing is None or issuer is None:
            return "", 404
        asked = server.create_oauth2_request(None)
        try:
            client = server.authenticate_client(asked, METHODS, "pushed_request")
            if "request_uri" in request.form or request.form.get("client_id") != client.client_id:
                raise InvalidRequestError(description="no request_uri, and the client's own client_id")
            grant = server.get_authorization_grant(asked)
            grant.validate_no_multiple_request_parameter(asked)
            grant.validate_authorization_request()
        except OAuth2Error as error:
            error.redirect_uri = None  # nobody is redirected
            response: Response = server.handle_error_response(asked, error)
            return response
        parameters = {name: request.form.getlist(name) for name in request.form if name not in _OF_THE_CLIENT}
        uri = PREFIX + secrets.token_urlsafe(16)
        state.secrets.add(uri)
        state.pushed[uri] = PushedRequest(parameters, issuer, state.clock() + LIFETIME)
        answer = {"request_uri": uri, "expires_in": LIFETIME}
        return jsonify(state.alterations.apply("pushed_request", issuer, answer)), 201


def pushed_payload(state: State) -> PushedPayload | None:
    """The pushed parameters that this URL stands for; ``None`` if it does not say that it does.

    :raises InvalidRequestError: if there are none, if they were another client's or issuer's, or if they are demanded.
    """
    uri = request.args.get("request_uri")
    if uri is None:
        if state.pushing == "required":
            raise InvalidRequestError(description="requests have to be pushed")
        return None
    pushed = state.pushed.get(uri)
    if (
        pushed is None
        or pushed.issuer != state.issuer_at(request.host)
        or pushed.expires_at <= state.clock()
        or pushed.parameters["client_id"] != request.args.getlist("client_id")
    ):
        raise InvalidRequestError(description="unknown request_uri")
    if set(request.args) != {"client_id", "request_uri"}:
        raise InvalidRequestError(description="parameters beside request_uri")
    return PushedPayload(pushed.parameters)


def forget_pushed(state: State) -> None:
    """A request is used once."""
    state.pushed.pop(request.args.get("request_uri", ""), None)

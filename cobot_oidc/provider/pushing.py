"""An authorization request that the provider gets before the browser goes there (RFC 9126)."""

from ..errors import CobotOIDCError, ProviderError
from ..protocol.authorization import AuthorizationRequest
from ..protocol.client import Client
from ..protocol.pushed_request import PushedResponse, pushed_request
from .copies import is_json
from .provider import Provider


def push(provider: Provider, client: Client, request: AuthorizationRequest) -> str:
    """Send the provider an authorization request before the browser goes there (RFC 9126).

    :returns: the ``request_uri`` that stands for the request.
    :raises ConfigurationError: ``client_refused``.
    :raises ProviderError: if the provider cannot be reached, names no such endpoint, refuses, or answers something
        else; ``provider_busy`` or ``provider_paused``.
    """
    endpoint = provider.metadata().pushed_request_endpoint
    if endpoint is None:
        reason = "the document names no pushed_authorization_request_endpoint"
        raise ProviderError("pushed_request_unusable", reason=reason)
    form = pushed_request(client, request, provider.assertion_terms())
    try:
        with provider.room_for_a_push():
            answer = provider.post(endpoint, form)
        if answer.status == 201 and not is_json(answer.content_type):
            raise ProviderError("pushed_request_unusable", http_status=answer.status, got=answer.content_type)
        return PushedResponse.parse(answer.status, answer.body).request_uri
    except CobotOIDCError as error:
        error.conceal([request.state, request.nonce, *form.credentials])
        raise

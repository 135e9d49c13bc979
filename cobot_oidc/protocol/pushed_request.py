"""The authorization request that is sent to the provider beforehand, and its answer: RFC 9126 section 2.

Values in, values out: another module posts the request, and passes the status and bytes of the answer back.
"""

import re
from dataclasses import dataclass, field

from ..errors import ConfigurationError, ProviderError
from .authentication import AssertionTerms, AuthenticatedForm, authenticated
from .authorization import AuthorizationRequest
from .client import Client
from .strict_json import JSONError, loads

LARGEST_ANSWER = 16 * 1024  # bytes
LONGEST_REQUEST_URI = 512  # characters

_REQUEST_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x24-\x7e]+")  # an absolute URI; no fragment could be sent


def pushed_request(client: Client, request: AuthorizationRequest, terms: AssertionTerms) -> AuthenticatedForm:
    """The form to post: every parameter of the request, and the client's authentication (RFC 9126 section 2.1)."""
    return authenticated(client, request.parameters(), terms)


@dataclass(frozen=True, slots=True)
class PushedResponse:
    """The provider's name for a request that it has received.

    :ivar request_uri: stands for the request in the browser's URL; never shown in ``repr``.
    :ivar expires_in: seconds for which it does.
    """

    request_uri: str = field(repr=False)
    expires_in: int

    @classmethod
    def parse(cls, status: int, body: bytes) -> "PushedResponse":
        """Read the endpoint's answer (RFC 9126 sections 2.2 and 2.3).

        :param status: the HTTP status.
        :param body: the bytes of the answer.
        :raises ConfigurationError: ``client_refused`` if the provider rejects our client.
        :raises ProviderError: ``pushed_request_refused`` if it rejects the request; ``pushed_request_unusable`` for
            everything else that is not such an answer.
        """
        try:
            answer = loads(body, largest=LARGEST_ANSWER)
        except JSONError:
            answer = None
        members = answer if isinstance(answer, dict) else {}
        if status != 201 or "error" in members:
            raise _refusal(status, members.get("error"), members.get("error_description"))
        request_uri, expires_in = members.get("request_uri"), members.get("expires_in")
        if (
            not isinstance(request_uri, str)
            or len(request_uri) > LONGEST_REQUEST_URI
            or not _REQUEST_URI.fullmatch(request_uri)
        ):
            raise ProviderError("pushed_request_unusable", reason="request_uri is missing or not an absolute URI")
        if type(expires_in) is not int or expires_in <= 0:  # a bool is an int, but not a time
            raise ProviderError("pushed_request_unusable", reason="expires_in is not a positive integer")
        return cls(request_uri, expires_in)


def _refusal(status: int, error: object, description: object) -> ConfigurationError | ProviderError:
    if error in ("invalid_client", "unauthorized_client") or (error is None and status == 401):
        return ConfigurationError("client_refused", http_status=status, error=error or "")
    if isinstance(error, str):
        return ProviderError("pushed_request_refused", http_status=status, error=error, description=description or "")
    return ProviderError("pushed_request_unusable", http_status=status)

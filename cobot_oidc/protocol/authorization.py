"""The authorization request that a browser carries to the provider, and the answer that it carries back.

RFC 6749 section 4.1.1 and 4.1.2, RFC 7636 (PKCE), OpenID Connect Core 3.1.2, RFC 9207 (``iss``). Values in,
values out: the caller makes the secrets, and nothing may trust the answer before ``check_issuer``.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..errors import LoginCode, LoginError, ProviderError

LONGEST_QUERY = 16 * 1024  # bytes
LONGEST_PARAMETER = 4096  # characters
MOST_PARAMETERS = 32

_VSCHAR = re.compile(r"[\x20-\x7e]*")  # RFC 6749 appendix A
_PASSED_ON = ("prompt", "login_hint", "ui_locales", "max_age")
_IMPLICIT = ("id_token", "access_token", "token_type", "response")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What one login asks of the provider.

    :param client_id: the client's identifier at the provider.
    :param redirect_uri: the absolute URL of the callback.
    :param scopes: the scopes to ask for, including ``openid``.
    :param state: identifies the login in the answer; never shown in ``repr``.
    :param nonce: comes back in the id token; never shown in ``repr``.
    :param code_verifier: 43–128 unreserved characters; only its S256 challenge leaves, never shown in ``repr``.
    :param options: ``prompt``, ``login_hint``, ``ui_locales`` and ``max_age`` (seconds) if wanted; no other
        parameter of the request can be set from outside (F21).
    :param further: what the app itself adds (``FurtherParameters``), which takes precedence over ``options``.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    further: Sequence[tuple[str, str]] = ()

    def parameters(self) -> list[tuple[str, str]]:
        """All parameters, of which only ``resource`` may be there more than once."""
        taken = {name for name, _ in self.further}
        return [
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("scope", " ".join(self.scopes)),
            ("state", self.state),
            ("nonce", self.nonce),
            ("code_challenge", str(create_s256_code_challenge(self.code_verifier))),
            ("code_challenge_method", "S256"),
            *((name, self.options[name]) for name in _PASSED_ON if name in self.options and name not in taken),
            *self.further,
        ]

    def url(self, authorization_endpoint: str) -> str:
        """The URL to send the browser to (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

        :raises ProviderError: ``endpoint_unusable`` if the endpoint's own query has a parameter that we have to set.
        """
        return _with_parameters(authorization_endpoint, self.parameters())


def pushed_url(authorization_endpoint: str, *, client_id: str, request_uri: str) -> str:
    """The URL to send the browser to if the provider has the request already (RFC 9126 section 4).

    :param request_uri: from ``PushedResponse``.
    :raises ProviderError: as ``AuthorizationRequest.url``.
    """
    return _with_parameters(authorization_endpoint, [("client_id", client_id), ("request_uri", request_uri)])


def logout_url(
    end_session_endpoint: str, *, client_id: str, post_logout_redirect_uri: str, id_token_hint: str | None = None
) -> str:
    """The URL that ends a session at the provider too (OpenID Connect RP-Initiated Logout 1.0 section 2).

    It has no ``state``, as nothing depends on the return.

    :param post_logout_redirect_uri: an absolute URL that is registered at the provider.
    :param id_token_hint: the id token of the login that ends. Without one, providers ask the person, and some do not
        send them back.
    :raises ProviderError: as ``AuthorizationRequest.url``.
    """
    query = [("client_id", client_id), ("post_logout_redirect_uri", post_logout_redirect_uri)]
    if id_token_hint is not None:
        query.append(("id_token_hint", id_token_hint))
    return _with_parameters(end_session_endpoint, query)


def request_options(query: Mapping[str, str]) -> dict[str, str]:
    """The parameters of our own login URL that may travel on to the provider (F21).

    :param query: the login URL's query.
    :returns: those of ``prompt``, ``login_hint``, ``ui_locales``, ``max_age`` that are well formed: printable ASCII
        of at most 256 characters, ``max_age`` a number of seconds. ``prompt=none`` is left out, in upper case too (some
        providers ignore case), because its answer is an error that nobody asked to see.
    """
    options = {
        name: query[name]
        for name in _PASSED_ON
        if 0 < len(query.get(name, "")) <= 256 and _VSCHAR.fullmatch(query[name])
    }
    if not re.fullmatch(r"[0-9]{1,9}", options.get("max_age", "0")):
        del options["max_age"]
    if "none" in options.get("prompt", "").lower().split():
        del options["prompt"]
    return options


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """The answer in the callback's query, well formed but not yet trusted (RFC 6749 section 4.1.2).

    :ivar state: identifies the transaction; ``None`` if the answer has none.
    :ivar issuer: RFC 9207's ``iss``; ``None`` if absent.
    :ivar code: the authorization code, ``None`` in an error response; never shown in ``repr``.
    :ivar error: the error code, ``None`` in a success response.
    :ivar error_description: free text from outside, to be used in logs only.
    """

    state: str | None = field(repr=False)
    issuer: str | None
    code: str | None = field(repr=False)
    error: str | None
    error_description: str | None

    @classmethod
    def parse(cls, query: bytes) -> "AuthorizationResponse":
        """Read a callback's query string strictly.

        :param query: the raw query, percent-encoded, without its ``?``.
        :raises LoginError: ``response_malformed`` for a repeated parameter (RFC 6749 section 3.1), text that is not
            VSCHAR (appendix A), more than 16 kB, both ``code`` and ``error``, or an answer of another flow.
        """
        parameters = _parameters(query)
        if "code" in parameters and "error" in parameters:
            raise LoginError("response_malformed", reason="both code and error")
        for name in _IMPLICIT:  # we only ask for a code (F20)
            if name in parameters:
                raise LoginError("response_malformed", reason=f"unexpected {name}")
        return cls(
            state=parameters.get("state"),
            issuer=parameters.get("iss"),
            code=parameters.get("code"),
            error=parameters.get("error"),
            error_description=parameters.get("error_description"),
        )

    def check_issuer(self, issuer: str, *, promised: bool) -> None:
        """Check that the answer comes from the issuer that was asked (RFC 9207 section 2.4).

        :param issuer: the transaction's issuer.
        :param promised: whether its document said ``authorization_response_iss_parameter_supported``.
        :raises LoginError: ``response_issuer_missing`` or ``response_issuer_mismatch``.
        """
        if self.issuer is None:
            if promised:
                raise LoginError("response_issuer_missing", expected=issuer)
        elif not hmac.compare_digest(self.issuer.encode(), issuer.encode()):
            raise LoginError("response_issuer_mismatch", expected=issuer, got=self.issuer)

    def authorization_code(self) -> str:
        """The code to exchange.

        :raises LoginError: ``cancelled`` if the person declined, ``provider_declined`` for any other error
            (RFC 6749 section 4.1.2.1, OIDC Core 3.1.2.6), ``response_malformed`` if there is neither.
        """
        if self.error in _DECLINED:
            raise LoginError("cancelled")
        if self.error is not None:
            code: LoginCode = "interaction_required" if self.error in _INTERACTION else "provider_declined"
            raise LoginError(code, error=self.error, description=self.error_description or "")
        if not self.code:
            raise LoginError("response_malformed", reason="neither code nor error")
        return self.code


_DECLINED = ("access_denied", "consent_required")  # some providers send the latter if a person does not consent
_INTERACTION = ("login_required", "interaction_required", "account_selection_required")


def _parameters(query: bytes) -> dict[str, str]:
    if len(query) > LONGEST_QUERY:
        raise LoginError("response_malformed", reason="query too long", bytes=len(query))
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except ValueError as error:  # includes UnicodeDecodeError
        raise LoginError("response_malformed", reason="query is not form-urlencoded") from error
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise LoginError("response_malformed", reason="repeated parameter", name=name)
        # Only ``error_description`` may hold other characters: providers do not restrict it to ASCII.
        if len(value) > LONGEST_PARAMETER or (name in _CHECKED and not _VSCHAR.fullmatch(value)):
            raise LoginError("response_malformed", reason="not VSCHAR, or too long", name=name)
        parameters[name] = value
    return parameters


_CHECKED = ("state", "code", "iss", "error")


def _with_parameters(endpoint: str, parameters: Sequence[tuple[str, str]]) -> str:
    """The endpoint may not contain a parameter of ours already (RFC 6749 section 3.1: none more than once)."""
    ours = {name for name, _ in parameters}
    for name, _ in parse_qsl(urlsplit(endpoint).query, keep_blank_values=True):
        if name in ours:
            raise ProviderError("endpoint_unusable", endpoint=endpoint)
    return str(add_params_to_uri(endpoint, parameters))

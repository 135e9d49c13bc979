"""One issuer over the network: its document, its keys, and the exchange of a code for verified claims."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from ..errors import CobotOIDCError, ProviderError, TokenError
from ..protocol.authentication import AssertionTerms, AuthenticatedForm
from ..protocol.authorization import AuthorizationRequest
from ..protocol.claims import Claims, clean_claims
from ..protocol.client import Client
from ..protocol.discovery import (
    ProviderMetadata,
    configuration_url,
    narrow_algorithms,
    narrow_userinfo_algorithms,
)
from ..protocol.id_token import Expected, UnverifiedIDToken
from ..protocol.keys import KeySet
from ..protocol.pushed_request import PushedResponse, pushed_request
from ..protocol.strict_json import JSONError, loads
from ..protocol.tokens import RefreshResponse, TokenResponse, code_request, refresh_request
from ..protocol.userinfo import UnverifiedUserinfo, check_subject
from .copies import METADATA, METADATA_OF_UNKNOWN, Wanted, is_json
from .documents import Document, Keeper
from .gate import Gate
from .http import LARGEST_ANSWER, HTTPClient, HTTPResponse, refuse_failure

if TYPE_CHECKING:
    from ..protocol.logout_token import LogoutToken, UnverifiedLogoutToken
    from ..protocol.refreshed import Original

T = TypeVar("T")

_MAY_BE_ROTATED = ("key_unknown", "key_unsuitable", "signature_invalid")


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What the provider returned for a code.

    :ivar claims: the claims of the verified id token.
    :ivar access_token: the token for the provider's API; never shown in ``repr``.
    :ivar scopes: what was granted; ``None`` if that is what was asked for.
    :ivar id_token: as it came.
    :ivar refresh_token: ``None`` if there is none. Neither is shown in ``repr``.
    :ivar expires_in: seconds that the access token is valid; ``None`` if the provider does not say.
    """

    claims: Claims
    access_token: str = field(repr=False)
    scopes: tuple[str, ...] | None
    id_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int | None


class Provider:
    """One issuer. This class is thread-safe; documents are fetched when they are first needed.

    :param issuer: an issuer that the configuration trusts.
    :param allowed_hosts: hosts that its endpoints may be on besides its own.
    :param is_named: whether the configuration names it, rather than allowing every well-formed space.
    :param is_others: whether it belongs to somebody else than the provider: an issuer with a client of its own.
    :param keys_at: the key set at a URL, shared with the other issuers that name it.
    """

    __slots__ = ("_gate", "_http", "_keeper", "_keys", "_keys_at", "_metadata", "_pushing", "issuer")

    def __init__(
        self,
        issuer: str,
        allowed_hosts: tuple[str, ...],
        is_named: bool,
        is_others: bool,
        keeper: Keeper,
        http: HTTPClient,
        keys_at: Callable[[str, bool], Document[KeySet]],
    ) -> None:
        self.issuer = issuer
        self._keeper = keeper
        self._http = http
        self._keys_at = keys_at
        kind = METADATA if is_named else METADATA_OF_UNKNOWN
        read = partial(_read_metadata, issuer, allowed_hosts)
        self._metadata = Document(Wanted(kind, configuration_url(issuer), read, is_others), keeper)
        self._keys: Document[KeySet] | None = None
        self._gate: Gate | None = None
        self._pushing: Gate | None = None

    @property
    def is_proven(self) -> bool:
        """Whether this issuer's document has ever been fetched."""
        return self._metadata.was_fetched

    def metadata(self) -> ProviderMetadata:
        """The provider's document.

        :raises ProviderError: if it cannot be fetched or is not valid.
        """
        return self._metadata.get(self.issuer)

    def held_metadata(self) -> ProviderMetadata | None:
        """The provider's document if we have it. Never waits for the network."""
        return self._metadata.held

    def begin(self) -> ProviderMetadata:
        """The document for the start of a login; the keys, which are needed at its end, are fetched in the background.

        :raises ConfigurationError: ``algorithms_disjoint`` if no id token of this provider could be accepted.
        :raises ProviderError: as ``metadata``.
        """
        metadata = self.metadata()
        narrow_algorithms(self._keeper.copies.settings.algorithms, metadata)
        self._key_set(metadata).prefetch(self.issuer)
        return metadata

    def push(self, client: Client, request: AuthorizationRequest) -> str:
        """Send the provider an authorization request before the browser goes there (RFC 9126).

        Strangers can make us do this. Therefore it has room and a breaker of its own: however many logins begin, those
        that were begun can end.

        :returns: the ``request_uri`` that stands for the request.
        :raises ConfigurationError: ``client_refused``.
        :raises ProviderError: if the provider cannot be reached, names
            no such endpoint, refuses, or answers something else; ``provider_busy`` or ``provider_paused``.
        """
        endpoint = self.metadata().pushed_request_endpoint
        if endpoint is None:
            reason = "the document names no pushed_authorization_request_endpoint"
            raise ProviderError("pushed_request_unusable", reason=reason)
        with self._keeper.lock:
            gate = self._pushing = self._pushing or Gate(self._keeper.pushing, self._keeper.copies.clock, self._tell)
        form = pushed_request(client, request, self._assertion_terms())
        try:
            with gate.call():
                answer = self._post(endpoint, form)
            if answer.status == 201 and not is_json(answer.content_type):
                raise ProviderError("pushed_request_unusable", http_status=answer.status, got=answer.content_type)
            return PushedResponse.parse(answer.status, answer.body).request_uri
        except CobotOIDCError as error:
            error.conceal([request.state, request.nonce, *form.credentials])
            raise

    @contextmanager
    def room_for_a_login(self) -> Iterator[None]:
        """Get everything that completing a login needs, and room for its calls, before the code is used up.

        :raises ProviderError: ``provider_busy`` or ``provider_paused`` if there is no room, or as ``metadata``.
        """
        self._key_set(self.metadata()).get(self.issuer)
        with self._keeper.lock:
            gate = self._gate = self._gate or Gate(self._keeper.crowd, self._keeper.copies.clock, self._tell)
        with gate.call():
            yield

    def exchange(
        self,
        client: Client,
        *,
        code: str,
        redirect_uri: str,
        code_verifier: str,
        nonce: str,
        max_age: int | None = None,
        resources: Sequence[str] = (),
        required: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> TokenSet:
        """Exchange an authorization code, and verify the id token that is returned (OIDC Core 3.1.3).

        To be called within ``room_for_a_login``.

        :param client: our client at this issuer. The other parameters are those of the login's authorization request.
        :raises LoginError: ``code_refused``.
        :raises TokenError: if the id token is not valid.
        :raises ProviderError: if the provider cannot be reached or its answer is unusable.
        """
        form = code_request(
            client,
            self._assertion_terms(),
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            resources=resources,
        )
        try:
            return self._exchange(client, form, nonce=nonce, max_age=max_age, required=required)
        except CobotOIDCError as error:
            error.conceal([code, code_verifier, nonce, *form.credentials])
            raise

    def _exchange(
        self,
        client: Client,
        form: AuthenticatedForm,
        *,
        nonce: str,
        max_age: int | None,
        required: Mapping[str, Sequence[str]],
    ) -> TokenSet:
        answer = self._post(self.metadata().token_endpoint, form)
        response = TokenResponse.parse(answer.status, answer.body)
        expected = self._expected(client, nonce=nonce, max_age=max_age, required=required)
        claims = self.verify(response.id_token, expected, access_token=response.access_token)
        return TokenSet(
            claims,
            response.access_token,
            response.scopes,
            response.id_token,
            response.refresh_token,
            response.expires_in,
        )

    def _expected(
        self,
        client: Client,
        *,
        nonce: str | None = None,
        max_age: int | None = None,
        required: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> Expected:
        """What an id token of this issuer for us has to say."""
        settings = self._keeper.copies.settings
        return Expected(
            issuer=self.issuer,
            client_id=client.client_id,
            nonce=nonce,
            algorithms=narrow_algorithms(settings.algorithms, self.metadata()),
            leeway=settings.leeway,
            max_iat_age=settings.max_iat_age,
            max_age=max_age,
            trusted_audiences=settings.trusted_audiences,
            require_kid=settings.require_kid,
            required=required,
        )

    def verify(self, id_token: str, expected: Expected, *, access_token: str | None) -> Claims:
        """Verify an id token, with newer keys than ours if the keys may have been rotated (K08–K10, K12).

        :raises TokenError: if it is not valid. No keys are fetched for a token that no key could make valid (K21).
        """
        token = UnverifiedIDToken.parse(id_token, expected, now=self._keeper.copies.clock())
        return self._verified(partial(token.verify, access_token=access_token), token.is_signed_by)

    def _verified(
        self,
        verify: Callable[[KeySet], T],
        is_signed_by: Callable[[KeySet], bool],
        *,
        may_look_again: Callable[[], bool] = lambda: True,
        seat: bool = False,
    ) -> T:
        """What a token says, by our keys or by newer ones.

        :param may_look_again: whether the keys may be fetched again for this token.
        :param seat: whether waiting for them requires a free seat: for what a stranger can send.
        """
        document = self._key_set(self.metadata())
        keys = document.get(self.issuer)
        try:
            return verify(keys)
        except TokenError as error:
            if error.code not in _MAY_BE_ROTATED or not may_look_again():
                raise
            renewed = document.renewed_beyond(self.issuer, keys, is_signed_by, seat=seat)
            if renewed.same_material(keys):
                raise
        return verify(renewed)

    def refresh(self, client: Client, *, refresh_token: str, original: "Original") -> RefreshResponse:
        """Exchange a refresh token (RFC 6749 section 6), and verify the id token if one is returned (OIDC Core 12.2).

        To be called within ``room_for_a_login``.

        :param client: our client at this issuer.
        :param original: what the login's id token said.
        :raises APIError: ``refresh_refused``.
        :raises TokenError: if the id token is not valid, or is about another
            login. :raises ProviderError: if the provider cannot be reached or its answer is unusable.
        """
        form = refresh_request(client, self._assertion_terms(), refresh_token=refresh_token)
        try:
            answer = self._post(self.metadata().token_endpoint, form)
            response = RefreshResponse.parse(answer.status, answer.body)
            if response.id_token is not None:
                self._check_refreshed(client, response.id_token, response.access_token, original)
        except CobotOIDCError as error:
            error.conceal([refresh_token, *form.credentials])
            raise
        return response

    def _check_refreshed(self, client: Client, id_token: str, access_token: str, original: "Original") -> None:
        from ..protocol.refreshed import REFRESHED_RULES  # for apps that use refresh tokens

        expected = self._expected(client)
        token = UnverifiedIDToken.parse(id_token, expected, now=self._keeper.copies.clock(), rules=REFRESHED_RULES)
        original.check(self._verified(partial(token.verify, access_token=access_token), token.is_signed_by))

    def verify_logout(self, token: "UnverifiedLogoutToken", *, may_look_again: Callable[[], bool]) -> "LogoutToken":
        """Verify a logout token, whose claims have been checked (OpenID Connect Back-Channel Logout 1.0 section 2.6).

        :param may_look_again: whether the keys may be fetched again for a token that ours do not verify.
        :raises TokenError: if it is not valid.
        :raises ProviderError: if there are no keys to verify it with.
        """
        settings = self._keeper.copies.settings
        token.check_algorithm(narrow_algorithms(settings.algorithms, self.metadata()))
        verify = partial(token.verify, require_kid=settings.require_kid)
        is_signed_by = partial(token.is_signed_by, require_kid=settings.require_kid)
        return self._verified(verify, is_signed_by, may_look_again=may_look_again, seat=True)

    def userinfo(self, access_token: str, subject: str, *, client: Client, only_signed: bool = False) -> Claims:
        """Request more claims about the subject of a verified id token (OIDC Core 5.3).

        To be called within ``room_for_a_login``. A signed answer is verified, whether it has to be signed or not.

        :param client: our client at this issuer, for which a signed answer has to be made.
        :param only_signed: whether a plain answer is refused.
        :raises ProviderError: ``userinfo_unusable`` if there is no such endpoint, or if the answer is neither a JSON
            object nor a JWT about this very subject (5.3.2, O04, O05); ``userinfo_not_signed``, ``userinfo_encrypted``.
        :raises TokenError: if the answer is signed, and not valid.
        """
        endpoint = self.metadata().userinfo_endpoint
        if endpoint is None:
            raise ProviderError("userinfo_unusable", reason="the document names no userinfo_endpoint")
        accept = "application/jwt" if only_signed else "application/json, application/jwt"
        headers = {"Authorization": f"Bearer {access_token}", "Accept": accept}
        answer = self._http.get(endpoint, largest=LARGEST_ANSWER, headers=headers)
        refuse_failure(answer)
        if answer.status == 200 and _is_jwt(answer.content_type):
            return self._signed_userinfo(answer.body, subject, client)
        if answer.status != 200 or not is_json(answer.content_type):
            raise ProviderError("userinfo_unusable", http_status=answer.status, got=answer.content_type)
        if only_signed:
            raise ProviderError("userinfo_not_signed", got=answer.content_type)
        return _plain_userinfo(answer, subject)

    def _signed_userinfo(self, body: bytes, subject: str, client: Client) -> Claims:
        algorithms = narrow_userinfo_algorithms(self._keeper.copies.settings.algorithms, self.metadata())
        expected = self._expected(client)._replace(algorithms=algorithms)
        try:
            token = UnverifiedUserinfo.parse(body, expected, subject=subject, now=self._keeper.copies.clock())
            return self._verified(token.verify, token.is_signed_by)
        except TokenError as error:
            error.note(of="the userinfo response")
            raise

    def _post(self, endpoint: str, form: AuthenticatedForm) -> HTTPResponse:
        answer = self._http.post_form(endpoint, form.body, form.headers, fails_evenly=self._metadata.wanted.is_others)
        refuse_failure(answer)
        return answer

    def _assertion_terms(self) -> AssertionTerms:
        return AssertionTerms(self.issuer, self._keeper.copies.clock(), secrets.token_urlsafe(32))

    def _key_set(self, metadata: ProviderMetadata) -> Document[KeySet]:
        keys = self._keys
        if keys is None or keys.wanted.url != metadata.jwks_uri:
            keys = self._keys = self._keys_at(metadata.jwks_uri, self._metadata.wanted.is_others)
        return keys

    def _tell(self, event: str) -> None:
        self._keeper.tell(event, self.issuer)


def _is_jwt(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/jwt"


def _plain_userinfo(answer: HTTPResponse, subject: str) -> Claims:
    try:
        claims = loads(answer.body)
    except JSONError as error:
        raise ProviderError("userinfo_unusable", reason=error.reason) from error
    if not isinstance(claims, dict):
        raise ProviderError("userinfo_unusable", reason="not an object")
    check_subject(claims, subject)
    return clean_claims(claims)


def _read_metadata(issuer: str, allowed_hosts: tuple[str, ...], document: bytes) -> ProviderMetadata:
    return ProviderMetadata.parse(document, issuer=issuer, allowed_hosts=allowed_hosts)

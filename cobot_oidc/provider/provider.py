"""One issuer over the network: its document, its keys, what its tokens have to say, and how its endpoints are called.

What is asked at the endpoints has modules of its own: ``pushing``, ``token_endpoint`` and ``userinfo``.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from ..errors import TokenError
from ..protocol.authentication import AssertionTerms, AuthenticatedForm
from ..protocol.claims import Claims
from ..protocol.client import Client
from ..protocol.discovery import ProviderMetadata, configuration_url, narrow_algorithms
from ..protocol.id_token import Expected, UnverifiedIDToken
from ..protocol.jws import ParsedJWS
from ..protocol.keys import KeySet
from .copies import METADATA, METADATA_OF_UNKNOWN, Wanted
from .documents import Document, Keeper
from .gate import Gate
from .http import LARGEST_ANSWER, HTTPClient, HTTPResponse, refuse_failure

if TYPE_CHECKING:
    from ..protocol.logout_token import LogoutToken, UnverifiedLogoutToken

T = TypeVar("T")

_MAY_BE_ROTATED = ("key_unknown", "key_unsuitable", "signature_invalid")


class Provider:
    """One issuer. This class is thread-safe; documents are fetched when they are first needed.

    :param issuer: an issuer that the configuration trusts.
    :param keys_at: the key set at a URL, shared with the other issuers that name it.
    :param allowed_hosts: hosts that its endpoints may be on besides its own.
    :param is_named: whether the configuration names it, rather than allowing every well-formed space.
    :param is_others: whether it belongs to somebody else than the provider: an issuer with a client of its own.
    """

    __slots__ = ("_gate", "_http", "_keeper", "_keys", "_keys_at", "_metadata", "_pushing", "issuer")

    def __init__(
        self,
        issuer: str,
        keeper: Keeper,
        http: HTTPClient,
        keys_at: Callable[[str, bool], Document[KeySet]],
        *,
        allowed_hosts: tuple[str, ...],
        is_named: bool,
        is_others: bool,
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

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms that the app allows; the provider's document can only narrow them."""
        return self._keeper.copies.settings.algorithms

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
        narrow_algorithms(self.algorithms, metadata)
        self._key_set(metadata).prefetch(self.issuer)
        return metadata

    @contextmanager
    def room_for_a_push(self) -> Iterator[None]:
        """Room for an authorization request that is sent beforehand (RFC 9126).

        Strangers can make us do this. Therefore it has room and a breaker of its own: however many logins begin, those
        that were begun can end.

        :raises ProviderError: ``provider_busy`` or ``provider_paused`` if there is no room.
        """
        with self._keeper.lock:
            gate = self._pushing = self._pushing or Gate(self._keeper.pushing, self._keeper.copies.clock, self._tell)
        with gate.call():
            yield

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

    def expected(
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
            algorithms=narrow_algorithms(self.algorithms, self.metadata()),
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
        token = UnverifiedIDToken.parse(id_token, expected, now=self.now())
        return self.verified(token.jws, partial(token.verify, access_token=access_token))

    def verified(
        self,
        jws: ParsedJWS,
        verify: Callable[[KeySet], T],
        *,
        may_look_again: Callable[[], bool] = lambda: True,
        seat: bool = False,
    ) -> T:
        """What a token says, by our keys or by newer ones.

        :param verify: checks the token with these keys, and tells what it says.
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
            is_signed_by = partial(jws.is_signed_by, require_kid=self._keeper.copies.settings.require_kid)
            renewed = document.renewed_beyond(self.issuer, keys, is_signed_by, seat=seat)
            if renewed.same_material(keys):
                raise
        return verify(renewed)

    def verify_logout(self, token: "UnverifiedLogoutToken", *, may_look_again: Callable[[], bool]) -> "LogoutToken":
        """Verify a logout token, whose claims have been checked (OpenID Connect Back-Channel Logout 1.0 section 2.6).

        :param may_look_again: whether the keys may be fetched again for a token that ours do not verify.
        :raises TokenError: if it is not valid.
        :raises ProviderError: if there are no keys to verify it with.
        """
        settings = self._keeper.copies.settings
        token.check_algorithm(narrow_algorithms(self.algorithms, self.metadata()))
        verify = partial(token.verify, require_kid=settings.require_kid)
        return self.verified(token.jws, verify, may_look_again=may_look_again, seat=True)

    def post(self, endpoint: str, form: AuthenticatedForm) -> HTTPResponse:
        """Post a form to one of the provider's endpoints.

        :raises ProviderError: if the provider cannot be reached, or fails at the moment.
        """
        answer = self._http.post_form(endpoint, form.body, form.headers, fails_evenly=self._metadata.wanted.is_others)
        refuse_failure(answer)
        return answer

    def get(self, endpoint: str, headers: Mapping[str, str]) -> HTTPResponse:
        """Request what an endpoint has.

        :raises ProviderError: as ``post``.
        """
        answer = self._http.get(endpoint, largest=LARGEST_ANSWER, headers=headers)
        refuse_failure(answer)
        return answer

    def assertion_terms(self) -> AssertionTerms:
        """For one proof of who the client is."""
        return AssertionTerms(self.issuer, self.now(), secrets.token_urlsafe(32))

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._keeper.copies.clock()

    def _key_set(self, metadata: ProviderMetadata) -> Document[KeySet]:
        keys = self._keys
        if keys is None or keys.wanted.url != metadata.jwks_uri:
            keys = self._keys = self._keys_at(metadata.jwks_uri, self._metadata.wanted.is_others)
        return keys

    def _tell(self, event: str) -> None:
        self._keeper.tell(event, self.issuer)


def _read_metadata(issuer: str, allowed_hosts: tuple[str, ...], document: bytes) -> ProviderMetadata:
    return ProviderMetadata.parse(document, issuer=issuer, allowed_hosts=allowed_hosts)

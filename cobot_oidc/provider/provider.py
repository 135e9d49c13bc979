"""One issuer over the network: its document, its keys, and the exchange of a code for verified claims."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from ..protocol.claims import Claims, clean_claims
from ..protocol.client import Client
from ..protocol.discovery import ProviderMetadata, configuration_url, narrow_algorithms
from ..protocol.errors import ProviderError, TokenError
from ..protocol.id_token import Expected, UnverifiedIDToken
from ..protocol.keys import KeySet
from ..protocol.strict_json import JSONError, loads
from ..protocol.tokens import TokenRequest, TokenResponse
from .documents import CachedDocument
from .freshness import Breaker, lifetime_of
from .http import LARGEST_ANSWER, HTTPClient, HTTPResponse
from .settings import ProviderSettings
from .copies import Clock, Download, Source

if TYPE_CHECKING:
    from .shared_store import SharedStore

MOST_CALLS = 8  # under way to one issuer
_CLOSED = Breaker()
_JSON_TYPES = ("application/json", "application/jwk-set+json")

T = TypeVar("T")
Listener = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was exchanged for.

    :ivar claims: of the verified id token.
    :ivar access_token: for the provider's API; never shown in ``repr``.
    """

    claims: Claims
    access_token: str = field(repr=False)


class Provider:
    """One issuer. Safe to share between threads; documents are fetched when first needed.

    :param issuer: an issuer that the configuration trusts.
    :param http: the app's client.
    :param clock: seconds since the epoch.
    :param store: what this process shares with others, if there is one.
    :param listener: is told an event's name and the issuer: ``metadata_renewed``, ``keys_renewed``,
        ``stale_metadata_served``, ``stale_keys_served``, ``provider_unavailable``, ``breaker_opened``,
        ``breaker_closed``. It must not raise.
    """

    __slots__ = (
        "_breaker",
        "_calls",
        "_http",
        "_keys",
        "_listener",
        "_lock",
        "_metadata",
        "clock",
        "issuer",
        "settings",
    )

    def __init__(
        self,
        issuer: str,
        settings: ProviderSettings,
        http: HTTPClient,
        clock: Clock,
        listener: Listener,
        store: "SharedStore | None" = None,
    ) -> None:
        self.issuer = issuer
        self.settings = settings
        self._http = http
        self.clock = clock
        self._listener = listener
        self._breaker = _CLOSED
        self._lock = threading.Lock()
        self._calls = 0
        self._metadata = CachedDocument(_MetadataSource(self, settings.metadata_stale, store), self._lock)
        self._keys = CachedDocument(_KeysSource(self, settings.keys_stale, store), self._lock)

    def metadata(self) -> ProviderMetadata:
        """The provider's document.

        :raises ProviderError: where it cannot be had, or is none.
        """
        return self._metadata.get()

    def begin(self) -> ProviderMetadata:
        """The document for a login that begins; the keys are fetched meanwhile, as its end will need them."""
        metadata = self.metadata()
        self._keys.prefetch()
        return metadata

    def exchange(
        self,
        client: Client,
        *,
        code: str,
        redirect_uri: str,
        code_verifier: str,
        nonce: str,
        max_age: int | None = None,
    ) -> Grant:
        """Exchange an authorization code, and verify the id token that comes for it (OIDC Core 3.1.3).

        :param client: who we are here. The other parameters are those of the login's authorization request.
        :raises LoginError: ``code_refused``. :raises TokenError: where the id token does not hold.
        :raises ProviderError: where the provider cannot be reached or answers nonsense.
        """
        metadata = self.metadata()
        request = TokenRequest.for_code(client, code=code, redirect_uri=redirect_uri, code_verifier=code_verifier)
        with self._call():
            answer = self._http.post_form(metadata.token_endpoint, request.body, request.headers)
            self._refuse_failure(answer)
        response = TokenResponse.parse(answer.status, answer.body)
        expected = Expected(
            issuer=self.issuer,
            client_id=client.client_id,
            nonce=nonce,
            algorithms=narrow_algorithms(self.settings.algorithms, metadata),
            leeway=self.settings.leeway,
            max_iat_age=self.settings.max_iat_age,
            max_age=max_age,
            trusted_audiences=self.settings.trusted_audiences,
            require_kid=self.settings.require_kid,
        )
        claims = self.verify(response.id_token, expected, access_token=response.access_token)
        return Grant(claims, response.access_token)

    def verify(self, id_token: str, expected: Expected, *, access_token: str | None) -> Claims:
        """Verify an id token, with newer keys than those at hand where they may have been rotated (K08–K10, K12).

        :raises TokenError: where it does not hold. No key is fetched for one that could not hold with any (K21).
        """
        token = UnverifiedIDToken.parse(id_token, expected, now=self.clock())
        keys = self._keys.get()
        try:
            return token.verify(keys, access_token=access_token)
        except TokenError as error:
            if error.code not in ("key_unknown", "key_unsuitable", "signature_invalid"):
                raise
            renewed = self._keys.renewed_beyond(keys, token.is_signed_by)
            if renewed.same_material(keys):
                raise
        return token.verify(renewed, access_token=access_token)

    def userinfo(self, access_token: str, subject: str) -> Claims:
        """Ask for more claims about the subject of a verified id token (OIDC Core 5.3).

        :raises ProviderError: ``userinfo_unusable`` where there is no such endpoint, or the answer is no JSON object
            about this very subject (5.3.2, security.md O04, O05).
        """
        endpoint = self.metadata().userinfo_endpoint
        if endpoint is None:
            raise ProviderError("userinfo_unusable", reason="the document names no userinfo_endpoint")
        with self._call():
            answer = self._http.get(
                endpoint, largest=LARGEST_ANSWER, headers={"Authorization": f"Bearer {access_token}"}
            )
            self._refuse_failure(answer)
        if answer.status != 200 or not _is_json(answer):
            raise ProviderError("userinfo_unusable", http_status=answer.status, got=answer.content_type)
        try:
            claims = loads(answer.body)
        except JSONError as error:
            raise ProviderError("userinfo_unusable", reason=error.reason) from error
        if not isinstance(claims, dict) or claims.get("sub") != subject:
            raise ProviderError("userinfo_unusable", reason="not about this subject")
        return clean_claims(claims)

    def download(self, url: str, lifetime: float) -> Download:
        """A document of this provider, fresh for so many seconds at most.

        :raises ProviderError: where it cannot be had.
        """
        with self._call():
            answer = self._http.get(url)
            self._refuse_failure(answer)
        if answer.status in (404, 410):
            raise ProviderError("provider_not_found", url=url)
        if answer.status != 200 or not _is_json(answer):
            raise ProviderError("response_unusable", url=url, http_status=answer.status, got=answer.content_type)
        return Download(answer.body, lifetime_of(answer.cache_control, lifetime))

    @contextmanager
    def _call(self) -> Iterator[None]:
        """Room for one more call to this issuer, and the memory of whether calls fail."""
        self._enter()
        try:
            yield
        except ProviderError as error:
            if error.status == 503:
                self._failed()
            raise
        finally:
            with self._lock:
                self._calls -= 1
        self._succeeded()

    def _enter(self) -> None:
        now = self.clock()
        with self._lock:
            if wait := self._breaker.seconds_closed_for(now):
                raise ProviderError("provider_paused", retry_after_seconds=wait)
            if self._calls >= MOST_CALLS:
                raise ProviderError("provider_busy", retry_after_seconds=1)
            self._breaker = self._breaker.before_trial(now)
            self._calls += 1

    def _failed(self) -> None:
        with self._lock:
            before = self._breaker
            self._breaker = before.after_failure(self.clock())
            opened = self._breaker.opened_at is not None and before.opened_at is None
        self.tell("provider_unavailable")
        if opened:
            self.tell("breaker_opened")

    def _succeeded(self) -> None:
        if self._breaker is _CLOSED:
            return
        with self._lock:
            closed = self._breaker.opened_at is not None
            self._breaker = _CLOSED
        if closed:
            self.tell("breaker_closed")

    def tell(self, event: str) -> None:
        """Pass on what happened here."""
        self._listener(event, self.issuer)

    def _refuse_failure(self, answer: HTTPResponse) -> None:
        if answer.status >= 500 or answer.status == 429:
            wait = {} if answer.retry_after is None else {"retry_after_seconds": answer.retry_after}
            raise ProviderError("provider_failing", http_status=answer.status, **wait)


class _DocumentSource(Source[T]):
    """A document that its provider downloads."""

    __slots__ = ("provider",)

    def __init__(self, provider: Provider, stale: float, store: "SharedStore | None") -> None:
        turn = provider.settings.total_timeout + 1
        super().__init__(provider.issuer, stale=stale, turn=turn, clock=provider.clock, store=store)
        self.provider = provider

    def tell(self, event: str) -> None:
        self.provider.tell(event)


class _MetadataSource(_DocumentSource[ProviderMetadata]):
    __slots__ = ()
    name = "metadata"

    def download(self) -> Download:
        return self.provider.download(configuration_url(self.issuer), self.provider.settings.metadata_lifetime)

    def read(self, body: bytes) -> ProviderMetadata:
        return ProviderMetadata.parse(body, issuer=self.issuer, allowed_hosts=self.provider.settings.allowed_hosts)


class _KeysSource(_DocumentSource[KeySet]):
    __slots__ = ()
    name = "keys"

    def download(self) -> Download:
        return self.provider.download(self.provider.metadata().jwks_uri, self.provider.settings.keys_lifetime)

    def read(self, body: bytes) -> KeySet:
        keys = replace(_parsed(body))
        if not keys.keys:  # kept is what we have (K15)
            raise ProviderError("key_set_unusable", reason="; ".join(keys.reasons))
        return keys


@lru_cache(maxsize=16)
def _parsed(document: bytes) -> KeySet:
    """Issuers that publish the same bytes, as a provider's spaces do, share their keys.

    The set around them is each one's own, as a newer one is told from an older one by identity.
    """
    return KeySet.parse(document)


def _is_json(answer: HTTPResponse) -> bool:
    content_type = answer.content_type.partition(";")[0].strip().lower()
    return content_type in _JSON_TYPES or (content_type.startswith("application/") and content_type.endswith("+json"))

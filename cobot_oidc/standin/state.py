"""Everything that one stand-in knows: people, clients, keys, codes, tokens, spaces, and past requests."""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import urljoin

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin
from flask import request

from .alterations import Alterations
from .furnishing import furnished
from .keys import SigningKeys
from .limits import Limits
from .people import SPACES, Person, everybody
from .refresh_tokens import IssuedRefreshToken, RefreshPolicy
from .scopes import SCOPES
from .world import World

Pushing = Literal["allowed", "required"]
API_HOST = "api.cobot.localhost"
OpenerPolicy = Literal["same-origin", "same-origin-allow-popups"]


class RecordedRequest(NamedTuple):
    """One request that was received."""

    method: str
    host: str
    path: str


@dataclass(frozen=True, slots=True)
class RegisteredClient(ClientMixin):  # type: ignore[misc] # Authlib's mixins are untyped
    """An app that may send people here. It has one redirect URI, which is matched exactly."""

    client_id: str
    client_secret: str | None
    redirect_uri: str
    name: str
    scopes: tuple[str, ...] = tuple(SCOPES)
    embed_at: str | None = None
    public_keys: Mapping[str, Any] | None = None
    authentication: str | None = None
    post_logout_redirect_uri: str | None = None
    backchannel_logout_uri: str | None = None

    @property
    def client_metadata(self) -> dict[str, list[str]]:
        uri = self.post_logout_redirect_uri
        return {"post_logout_redirect_uris": [] if uri is None else [uri]}

    @property
    def embed_url(self) -> str:
        """What Cobot's own pages show in an iframe; ``{space}`` stands for the space."""
        return self.embed_at or urljoin(self.redirect_uri, "/")

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(name for name in (scope or "").split() if name in self.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret.encode(), (self.client_secret or "").encode())

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        # Cobot's document says "none", but if there is a secret, Cobot requires client_secret_post.
        if method == "client_assertion_jwt":  # Authlib's name for both kinds
            return self.authentication in ("client_secret_jwt", "private_key_jwt")
        if self.authentication is not None:
            return method == self.authentication
        return (method == "none") == (self.client_secret is None)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")  # the latter only if the stand-in was told to


@dataclass(frozen=True, slots=True)
class IssuedCode(AuthorizationCodeMixin):  # type: ignore[misc] # as above
    """A code that has not been exchanged yet; the names are those that Authlib expects."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    person: Person
    issuer: str
    nonce: str | None
    auth_time: int
    code_challenge: str | None
    code_challenge_method: str | None
    sid: str = ""
    acr: str | None = None

    def get_redirect_uri(self) -> str | None:
        # Cobot does not require it in the token request; if it is there, it has to be right.
        return self.redirect_uri if "redirect_uri" in request.form else None

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str | None:
        return self.acr

    def get_amr(self) -> None:
        return None


class PushedRequest(NamedTuple):
    """An authorization request that was pushed (RFC 9126). ``expires_at`` is in seconds since the epoch."""

    parameters: Mapping[str, list[str]]
    issuer: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a bearer token stands for. Like Cobot's, it is valid until it is revoked.

    :ivar space: the space that it acts for; ``None`` if it acts for the person.
    :ivar expires_at: in seconds since the epoch, if the stand-in was told to let tokens expire.
    """

    token: str
    client_id: str
    person: Person
    scope: str
    space: str | None = None
    expires_at: float | None = None

    def check_client(self, client: Any) -> bool:
        """Authlib asks this before it revokes a token."""
        return bool(self.client_id == client.client_id)


@dataclass(slots=True)
class State:
    """One stand-in's memory.

    :ivar port: the port on the loopback.
    :ivar clock: returns seconds since the epoch.
    :ivar spaces: names by subdomain.
    :ivar domains: subdomains by the space's own domain.
    :ivar revoked_rights: the keys of people with the spaces that they are admins of, but may no longer manage.
    :ivar opener_policy: the ``Cross-Origin-Opener-Policy`` of the login pages; ``None`` for none.
    :ivar pushing: whether authorization requests may or must be pushed; ``None`` if they cannot be, as at Cobot.
    :ivar signs_userinfo: whether userinfo is a signed JWT.
    :ivar used_assertions: the ``jti`` of each.
    :ivar authorization_requests: the parameters of each request that somebody allowed.
    :ivar token_requests: of each.
    :ivar refresh: how tokens are renewed; ``None`` if they are not, as at first. ``renewing``: held for a moment.
    :ivar reused_refresh_tokens: how often one was used again that counts once.
    :ivar offers_logout: whether the document names an end of sessions, and id tokens a ``sid``.
    :ivar logins: who has logged in, by client and ``sid``.
    :ivar secrets: every secret that was received or sent, for tests that check that it is nowhere else.
    """

    port: int
    clock: Callable[[], float]
    people: dict[str, Person] = field(default_factory=everybody)
    spaces: dict[str, str] = field(default_factory=lambda: dict(SPACES))
    domains: dict[str, str] = field(default_factory=dict)
    clients: dict[str, RegisteredClient] = field(default_factory=dict)
    keys: SigningKeys = field(default_factory=SigningKeys)
    alterations: Alterations = field(default_factory=Alterations)
    codes: dict[str, IssuedCode] = field(default_factory=dict)
    tokens: dict[str, AccessToken] = field(default_factory=dict)
    revoked_rights: set[tuple[str, str]] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)
    opener_policy: OpenerPolicy | None = None
    pushing: Pushing | None = None
    pushed: dict[str, PushedRequest] = field(default_factory=dict)
    signs_userinfo: bool = False
    used_assertions: set[str] = field(default_factory=set)
    authorization_requests: list[dict[str, list[str]]] = field(default_factory=list)
    token_requests: list[dict[str, list[str]]] = field(default_factory=list)
    refresh: RefreshPolicy | None = None
    refresh_tokens: dict[str, IssuedRefreshToken] = field(default_factory=dict)
    reused_refresh_tokens: int = 0
    renewing: threading.Lock = field(default_factory=threading.Lock)
    offers_logout: bool = False
    logins: dict[tuple[str, str], Person] = field(default_factory=dict)
    world: World = field(init=False)
    requests: list[RecordedRequest] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.world = World(self.people, self.clock, furnished)

    @property
    def issuer(self) -> str:
        """The global provider's issuer."""
        return f"http://www.cobot.localhost:{self.port}"

    def space_issuer(self, space: str) -> str:
        """A space's issuer."""
        return f"http://{space}.cobot.localhost:{self.port}"

    @property
    def api(self) -> str:
        """Where the API's second generation is, which is no issuer."""
        return f"http://{API_HOST}:{self.port}"

    def is_api(self, host: str) -> bool:
        """Whether a host is that of the API's second generation."""
        return host.partition(":")[0] == API_HOST

    def issuer_at(self, host: str) -> str | None:
        """The issuer at a host, ``None`` if there is none."""
        name = host.partition(":")[0]
        label = name.removesuffix(".cobot.localhost")
        if label == "www":
            return self.issuer
        if name in self.domains:
            return f"http://{name}:{self.port}"
        return self.space_issuer(label) if label in self.spaces else None

    def space_at(self, host: str) -> str | None:
        """The space at a host, ``None`` if there is none."""
        name = host.partition(":")[0]
        label = self.domains.get(name, name.removesuffix(".cobot.localhost"))
        return label if label in self.spaces else None

    def reset(self) -> None:
        """Forget what happened and what was changed, but keep the registered clients."""
        self.people.clear()
        self.people.update(everybody())
        self.spaces.clear()
        self.spaces.update(SPACES)
        self.domains.clear()
        self.keys = SigningKeys()
        self.alterations.clear()
        self.codes.clear()
        self.tokens.clear()
        self.revoked_rights.clear()
        self.limits.reset()
        self.opener_policy = None
        self.pushing = None
        self.pushed.clear()
        self.signs_userinfo = False
        self.used_assertions.clear()
        self.authorization_requests.clear()
        self.token_requests.clear()
        self.refresh = None
        self.refresh_tokens.clear()
        self.reused_refresh_tokens = 0
        self.offers_logout = False
        self.logins.clear()
        self.world.reset()
        self.requests.clear()
        self.secrets.clear()

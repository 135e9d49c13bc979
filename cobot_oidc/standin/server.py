"""The stand-in as programs see it: started and stopped, told what to do, and asked what happened."""

import secrets
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from .alterations import Change, Page, Part, Reply
from .app import create_app
from .browser import Browser
from .keys import SigningKeys
from .limits import Allowance
from .logouts import logout_token, send
from .loopback import LoopbackServer
from .people import Person
from .refresh_tokens import RefreshPolicy
from .state import AccessToken, OpenerPolicy, Pushing, RecordedRequest, RegisteredClient, State
from .world import Booking, World


class StandIn:
    """The stand-in Cobot. It runs inside ``with``, or from ``start`` to ``stop``.

    :param port: a port on 127.0.0.1; 0 for any free one.
    :param clock: seconds since the epoch, for the times in id tokens.
    :raises OSError: from ``start``, if the port is taken.

    .. code-block:: python

        with StandIn() as cobot:
            cobot.register_client("portal", secret="…", redirect_uri="http://localhost/cobot/callback")
            callback_url = cobot.sign_in(authorization_url, person="ada")
    """

    def __init__(self, port: int = 0, *, clock: Callable[[], float] = time.time) -> None:
        self._state = State(port, clock)
        self._server: LoopbackServer | None = None

    def start(self) -> Self:
        """Listen, and answer requests in a thread."""
        self._state.stopping.clear()
        self._server = LoopbackServer(create_app(self._state), self._state.port)
        self._state.port = self._server.port
        return self

    def stop(self) -> None:
        """Stop listening. ``requests`` stays as it is."""
        if self._server is None:
            return
        self._state.stopping.set()
        self._server.stop()
        self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._state.port

    @property
    def issuer(self) -> str:
        """The issuer of the global provider."""
        return self._state.issuer

    @property
    def space_issuer_template(self) -> str:
        """The value for ``COBOT_OIDC_SPACE_ISSUER``."""
        return self._state.space_issuer("{space}")

    def space_issuer(self, space: str) -> str:
        """The issuer of a space."""
        return self._state.space_issuer(space)

    @property
    def api(self) -> str:
        """Where the API's second generation is. The first is at ``/api`` of each issuer."""
        return self._state.api

    @property
    def world(self) -> World:
        """What the spaces have: ``world.of("co-up").bookings`` and so on."""
        return self._state.world

    @property
    def people(self) -> dict[str, Person]:
        """The people who can log in, by key; change them as you like."""
        return self._state.people

    @property
    def spaces(self) -> dict[str, str]:
        """The names of the spaces by subdomain; add more as you like."""
        return self._state.spaces

    @property
    def domains(self) -> dict[str, str]:
        """The subdomains of spaces by their own domains, which are names below ``localhost``; add more as you like."""
        return self._state.domains

    @property
    def keys(self) -> SigningKeys:
        """The signing keys, which can be rotated."""
        return self._state.keys

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests so far, oldest first."""
        return self._state.requests

    @property
    def secrets(self) -> set[str]:
        """Every secret that was received or sent so far: states, nonces, codes, verifiers, tokens, client secrets."""
        return self._state.secrets

    def asked(self, path: str) -> int:
        """How often a path was requested."""
        return sum(request.path == path for request in list(self._state.requests))

    def register_client(
        self,
        client_id: str,
        *,
        secret: str | None,
        redirect_uri: str,
        name: str = "An app",
        scopes: str | None = None,
        embed_url: str | None = None,
        public_keys: Mapping[str, Any] | None = None,
        authentication: str | None = None,
        post_logout_redirect_uri: str | None = None,
        backchannel_logout_uri: str | None = None,
    ) -> None:
        """Register an app, which may send people here and get them back at this redirect URI only.

        :param secret: ``None`` for a public client.
        :param scopes: the scopes that it may ask for, separated by spaces.
        :param embed_url: what ``/members`` and ``/admin`` show in an iframe, such as
            ``http://localhost:5000/{space}/``; by default the start page at the redirect URI's origin.
        :param public_keys: a JWK Set, with which the client signs assertions (``private_key_jwt``).
        :param authentication: the only way in which it may prove who it is, such as ``client_secret_jwt``; by default
            any that fits what it has.
        :param post_logout_redirect_uri: where people get back to after a logout here, once that is offered.
        :param backchannel_logout_uri: where logout tokens are sent when somebody logs out here.
        """
        if public_keys is not None:
            authentication = "private_key_jwt"
        more: dict[str, Any] = {
            "embed_at": embed_url,
            "public_keys": public_keys,
            "authentication": authentication,
            "post_logout_redirect_uri": post_logout_redirect_uri,
            "backchannel_logout_uri": backchannel_logout_uri,
        }
        if scopes is not None:
            more["scopes"] = tuple(scopes.split())
        self._state.clients[client_id] = RegisteredClient(client_id, secret, redirect_uri, name, **more)

    def issue_token(self, person: str, scope: str, *, client_id: str = "portal", space: str | None = None) -> str:
        """An access token of a person without a login.

        :param scope: separated by spaces.
        :param space: the space that the token acts for, in place of the person.
        """
        issued = AccessToken(secrets.token_hex(32), client_id, self.people[person], scope, space)
        self._state.tokens[issued.token] = issued
        self._state.secrets.add(issued.token)
        return issued.token

    def revoke_tokens(self, person: str | None = None) -> None:
        """Revoke all access tokens, or all that a person has let be issued."""
        for token, issued in list(self._state.tokens.items()):
            if person in (None, issued.person.key):
                self._state.tokens.pop(token, None)

    def revoke_right(self, person: str, space: str) -> None:
        """Take an admin's rights at a space. ``/api/user`` goes on to list the space, and scopes stay as granted."""
        self._state.revoked_rights.add((person, space))

    def limit(
        self,
        calls: int | None = 60,
        seconds: float = 60,
        memberships: int = 6,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Limit the API's requests of each person, counted from zero.

        :param calls: how many in ``seconds``; ``None`` for no limit at all.
        :param memberships: how many of them may list members.
        :param clock: seconds that never go back.
        """
        self._state.limits.allow(None if calls is None else Allowance(calls, seconds, memberships), clock)

    @property
    def refused_for_limit(self) -> int:
        """How many requests were refused because a person had made too many."""
        return self._state.limits.refused

    def cut_off_openers(self, policy: OpenerPolicy | None = "same-origin") -> None:
        """Send ``Cross-Origin-Opener-Policy`` with the login pages, so that popups lose the window that opened them.

        :param policy: both cut off openers of another origin; ``None`` sends no such header, as at first.
        """
        self._state.opener_policy = policy

    def take_pushed_requests(self, pushing: Pushing | None = "required") -> None:
        """Take pushed authorization requests (RFC 9126), as Cobot does not.

        :param pushing: whether requests may or must be pushed; ``None`` takes none, as at first.
        """
        self._state.pushing = pushing

    def sign_userinfo(self, signed: bool = True) -> None:
        """Answer userinfo as a signed JWT (OpenID Connect Core 5.3.2), as Cobot does not."""
        self._state.signs_userinfo = signed

    @property
    def authorization_requests(self) -> list[dict[str, list[str]]]:
        """The parameters of each authorization request that somebody allowed, pushed or not, oldest first."""
        return self._state.authorization_requests

    @property
    def token_requests(self) -> list[dict[str, list[str]]]:
        """The parameters of each token request, oldest first."""
        return self._state.token_requests

    def offer_refresh_tokens(self, lifetime: int = 300, *, rotate: bool = True) -> None:
        """Let access tokens expire, give refresh tokens with them, and let clients revoke both (RFC 7009).

        :param lifetime: seconds that an access token is valid.
        :param rotate: let each refresh token count once; one
            that is used again ends all that follow from its login.
        """
        self._state.refresh = RefreshPolicy(lifetime, rotate)

    @property
    def reused_refresh_tokens(self) -> int:
        """How often a refresh token was used again that had counted already."""
        return self._state.reused_refresh_tokens

    def revoke_refresh_tokens(self) -> None:
        """Let no refresh token count any more."""
        self._state.refresh_tokens.clear()

    def offer_logout(self) -> None:
        """Name an ``end_session_endpoint`` in the documents and a ``sid`` in id tokens, and send logout tokens."""
        self._state.offers_logout = True

    def sids(self, person: str, client_id: str = "portal") -> list[str]:
        """The sessions that a person has logged in from, the latest last."""
        logins = list(self._state.logins.items())
        return [sid for (client, sid), who in logins if client == client_id and who.key == person]

    def logout_token(
        self, person: str | None = None, sid: str | None = None, *, issuer: str | None = None, client_id: str = "portal"
    ) -> str:
        """A logout token, to be sent to an app: about a person, a session, or both.

        :param issuer: that of the global provider by default.
        """
        about = {"sub": self.people[person].subject if person else None, "sid": sid}
        about = {name: value for name, value in about.items() if value is not None}
        return logout_token(self._state, issuer or self.issuer, client_id, about)

    def send_logout_token(self, uri: str, token: str) -> int:
        """Post a logout token to an app on this machine. Returns the status of its answer."""
        return send(uri, token)

    def add_bookings(self, space: str, *, person: str | None = None, count: int = 1) -> list[Booking]:
        """Add bookings of an hour each to a space, after all that it has.

        :param person: the member whose bookings they are; ``None`` for an admin's for visitors.
        """
        membership_id = self.people[person].memberships[space].id if person else None
        return self._state.world.add_bookings(space, membership_id, count)

    def alter(
        self, part: Part, change: Change, *, issuer: str | None = None, path: str = "", times: int | None = None
    ) -> None:
        """Change what the stand-in answers; see ``Alterations.alter``."""
        self._state.alterations.alter(part, change, issuer=issuer, path=path, times=times)

    def reply(
        self,
        page: Page,
        *,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        delay: float = 0,
        issuer: str | None = None,
        path: str = "",
        times: int | None = None,
    ) -> None:
        """Replace the status, headers or body of an answer, or delay it by seconds; see ``Alterations.reply``."""
        reply = Reply(status, headers or {}, body, delay)
        self._state.alterations.reply(page, reply, issuer=issuer, path=path, times=times)

    def reset(self) -> None:
        """Forget what happened and what was altered, but keep the registered clients."""
        self._state.reset()

    def forget_clients(self) -> None:
        """Forget every client that was registered."""
        self._state.clients.clear()

    def browser(self) -> Browser:
        """A new browser with cookies of its own."""
        return Browser()

    def sign_in(self, authorization_url: str, person: str = "ada", *, cancel: bool = False) -> str:
        """Log in as a person would, in a new browser, and allow what the app asks for.

        :param authorization_url: the URL that the app sends the browser to.
        :param cancel: cancel instead.
        :returns: the URL that the browser is sent back to: the app's callback, with the answer.
        """
        return self.browser().sign_in(authorization_url, person, cancel=cancel)

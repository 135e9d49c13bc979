"""What a login ends with: the user from the verified claims, and what the app wants to keep of the access token."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..context import the_app
from ..errors import APIError, LoginError
from ..events import user_logged_in
from ..identity import memberships, tokens
from ..identity.ended_logins import hash_of_session
from ..identity.stored import Identity, Kept
from ..identity.user import Standing, User
from ..installation import installation
from ..protocol.client import Client
from ..provider.deadline import within
from ..provider.provider import Provider
from ..provider.token_endpoint import TokenSet
from .transactions import Transaction

# What only an id token says: how and when somebody has logged in, and not who they are (Core 2).
_OF_THE_ID_TOKEN = frozenset(("acr", "amr", "auth_time", "sid"))


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who logged in, as the session will hold it, and the access token that serves until the login has ended."""

    identity: Identity
    access_token: str = field(repr=False)

    @property
    def user(self) -> User:
        return self.identity.user


def logged_in(transaction: Transaction, token_set: TokenSet, provider: Provider, client: Client) -> LoggedIn:
    """Who logged in. To be called within ``room_for_a_login``: userinfo and membership are asked for here.

    :param client: ours at this provider.
    :raises ProviderError: ``userinfo_unusable``, or if the provider cannot be asked for userinfo.
    :raises TokenError: if its answer is signed, and not valid.
    :raises LoginError: ``ended_meanwhile``.
    """
    user = _from_claims(transaction, token_set, provider, client)
    settings, token = installation().settings, token_set.access_token
    session_hash = _session_hash(user, token_set) if settings.backchannel_logout else None
    if settings.backchannel_logout:
        _check_not_ended(transaction, user, session_hash)
    granted, declined = _scopes(transaction, token_set)
    standing = _standing(user, token) if settings.membership else None
    cobot_id = None if standing is None else standing.cobot_id
    kept = Kept.of(
        user.space,
        token=tokens.keep(token, user, _renewal(transaction, token_set)) if settings.keep_token else None,
        standing=standing,
        granted=granted,
        declined=declined,
        cobot_id=cobot_id if cobot_id != user.subject else None,
        hint=_hint(user, token_set, provider) if settings.logout_at_provider else None,
        session_hash=session_hash,
        was_asked=settings.membership,
    )
    return LoggedIn(Identity(user, kept=kept), token)


def tell_listeners(login: LoggedIn) -> None:
    """Send ``user_logged_in``. A handler that takes ``api`` can call Cobot's API until the login has ended.

    Those that take only ``user``, as most do, do not get it: blinker's own ``send`` would give all of them the same.
    """
    app, api = the_app(), None
    try:
        for handler in user_logged_in.receivers_for(app):
            call = app.ensure_sync(handler)  # an async handler that nobody waits for would refuse nobody
            if not _takes_api(handler):
                call(app, user=login.user)
                continue
            api = api or _api(login.user, login.access_token)
            call(app, user=login.user, api=api)
    finally:
        if api is not None:
            api.close()


def _from_claims(transaction: Transaction, token_set: TokenSet, provider: Provider, client: Client) -> User:
    installed, claims = installation(), token_set.claims
    more: Mapping[str, object] = {}
    if installed.settings.userinfo:
        from ..provider.userinfo import userinfo  # for apps that ask for it

        more = userinfo(
            provider,
            token_set.access_token,
            claims.subject,
            client=client,
            only_signed=installed.settings.userinfo == "signed",
        )
    kept = {
        name: claims.get(name, more.get(name))
        for name in installed.terms.claims
        if name in claims or (name in more and name not in _OF_THE_ID_TOKEN)  # which takes precedence (C15)
    }
    if not installed.settings.userinfo:
        installed.events.tell_missing(installed.settings.claims, claims)
    return User(
        issuer=claims.issuer,
        subject=claims.subject,
        space=transaction.destination.space,
        kept_claims=kept,
        authenticated_at=int(installed.clock()),
        find_standing=installed.terms.find_standing,
    )


def _scopes(transaction: Transaction, token_set: TokenSet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The scopes granted beyond the configured ones, and those that were asked for in vain.

    A token response that names no scopes grants what was asked for (RFC 6749 section 5.1).
    """
    configured = installation().settings.scopes
    asked = (*configured, *transaction.scopes)
    granted = asked if token_set.scopes is None else token_set.scopes
    beyond = tuple(scope for scope in granted if scope not in configured)
    return beyond, tuple(scope for scope in asked if scope not in granted)


def _renewal(transaction: Transaction, token_set: TokenSet) -> tokens.Renewal | None:
    """What renews the access token, if the app wants that and the provider gave a refresh token."""
    installed, claims = installation(), token_set.claims
    if not installed.settings.refresh_tokens or token_set.refresh_token is None:
        return None
    from ..protocol.refreshed import nonce_hash

    auth_time = claims.get("auth_time")
    return tokens.Renewal(
        token_set.refresh_token,
        expires_at=None if token_set.expires_in is None else int(installed.clock()) + token_set.expires_in,
        auth_time=auth_time if isinstance(auth_time, (int, float)) else None,
        nonce=nonce_hash(transaction.nonce),
        azp="azp" in claims,
    )


def _hint(user: User, token_set: TokenSet, provider: Provider) -> str | None:
    """The id token for a logout at the provider, if the provider has one."""
    from ..identity import hints

    if provider.metadata().end_session_endpoint is None:
        return None
    hint = hints.keep(token_set.id_token, user)
    if hint is None:
        installation().events.tell("logout_hint_left_out", user.issuer)
    return hint


def _session_hash(user: User, token_set: TokenSet) -> str | None:
    """What stands for the session at the provider, if the id token names one: the provider may end it."""
    from ..backchannel.where_logged_in import note_login

    registration = installation().settings.issuers.registration_of(user.space)
    if registration is not None and not registration.is_named:
        note_login(user.issuer)
    sid = token_set.claims.get("sid")
    return hash_of_session(sid) if isinstance(sid, str) else None


def _check_not_ended(transaction: Transaction, user: User, session_hash: str | None) -> None:
    """An answer that is held back over a logout at the provider is not worth more than a login that it ended.

    :raises LoginError: ``ended_meanwhile``.
    """
    if installation().ended_logins.were_ended_since(transaction.started_at, user, session_hash):
        raise LoginError("ended_meanwhile", issuer=user.issuer)


def _standing(user: User, token: str) -> Standing | None:
    """What the user is in their space; ``None`` if Cobot cannot be asked, which ends no login."""
    from ..identity.standings import LONGEST_WAIT  # for apps that want to know

    try:
        with within(LONGEST_WAIT):
            return memberships.ask(user, _api(user, token))
    except APIError:
        installation().events.tell("membership_unknown", user.issuer)
        return None


def _api(user: User, token: str) -> Any:
    from ..api.client import CobotAPI  # Authlib's session is needed by those alone who ask something

    return CobotAPI(token, space=user.space, user=user.subject)


def _takes_api(handler: Callable[..., object]) -> bool:
    try:
        parameters = inspect.signature(handler).parameters
    except ValueError:  # a builtin
        return False
    return "api" in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())

"""Settings that are each valid, but do not fit together, or probably do not mean what somebody meant."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...protocol.client import Client
from ...settings import READ_USER, Settings
from ..findings import Finding, ok, warning

OF_A_LOGIN = frozenset(("openid", "email", "profile", "phone", "address", "offline_access"))


def combination_findings(settings: Settings, config: Mapping[str, Any], unread: Collection[str]) -> Iterator[Finding]:
    """:param unread: the settings that are in the environment under a name that Flask does not read."""
    found = [*_names(settings, unread), *_membership(settings, config), *_tokens(settings)]
    yield from found
    if not found:
        yield ok("settings", "settings", "The settings are valid, and fit together.")
    yield from _clients(settings)


def _names(settings: Settings, unread: Collection[str]) -> Iterator[Finding]:
    for key in unread:
        yield warning(
            key,
            "variable_unread",
            f"{key} is set in the environment, but not in app.config.",
            f"Set FLASK_{key} instead, which app.config.from_prefixed_env() reads.",
        )
    for space in settings.issuers.unserved():
        yield warning(
            "COBOT_OIDC_SPACES",
            "space_unserved",
            f"COBOT_OIDC_SPACE_ISSUERS names {space}, but COBOT_OIDC_SPACES does not: nobody can log in there.",
            f"Add {space} to COBOT_OIDC_SPACES, or remove its issuer.",
        )


def _clients(settings: Settings) -> Iterator[Finding]:
    """Which key or algorithm proves who the app is: what the provider has to have been told of."""
    own = [(space, each.client) for space, each in settings.issuers.exceptions.items() if each.callback is not None]
    for space, client in [(None, settings.issuers.provider.client), *own]:
        if client.authentication in ("client_secret_jwt", "private_key_jwt"):
            yield _client(space, client)


def _client(space: str | None, client: Client) -> Finding:
    where = "" if space is None else f" of {space}"
    if client.authentication == "client_secret_jwt":
        return ok(f"client{where}", "client", f"It proves who it is with client_secret_jwt, by {client.algorithm}.")
    first, *others = client.keys
    more = f"; {', '.join(ascii(key.kid) for key in others)} can take over" if others else ""
    found = f"It proves who it is with private_key_jwt: the key {first.kid!a} signs with {first.algorithm}{more}."
    return ok(f"client{where}", "client", found)


def _membership(settings: Settings, config: Mapping[str, Any]) -> Iterator[Finding]:
    if settings.membership and settings.issuers.spaces == frozenset():
        yield warning(
            "COBOT_OIDC_MEMBERSHIP",
            "membership_without_spaces",
            "COBOT_OIDC_MEMBERSHIP is True, but the app serves no spaces that somebody could be a member of.",
            "Set COBOT_OIDC_SPACES, or COBOT_OIDC_MEMBERSHIP=False.",
        )
    if settings.keep_token and settings.membership:
        return
    for name in ("MEMBERSHIP_LIFETIME", "MEMBERSHIP_STALE"):
        if config.get(f"COBOT_OIDC_{name}") is not None:
            yield warning(
                f"COBOT_OIDC_{name}",
                "membership_not_renewed",
                f"COBOT_OIDC_{name} has no effect: without a kept token, Cobot is only asked at the login.",
                "Set COBOT_OIDC_KEEP_TOKEN=True and COBOT_OIDC_MEMBERSHIP=True, or remove it.",
            )


def _tokens(settings: Settings) -> Iterator[Finding]:
    needed = OF_A_LOGIN | ({READ_USER} if settings.membership else frozenset())
    more = [scope for scope in settings.scopes if scope not in needed]
    if more and not settings.keep_token:
        yield warning(
            "COBOT_OIDC_SCOPES",
            "scopes_unused",
            f"People are asked to allow {' '.join(map(ascii, more))}, but the app keeps no token to use it with.",
            "Set COBOT_OIDC_KEEP_TOKEN=True, or remove these scopes; unless a handler of user_logged_in uses them.",
        )
    if settings.keep_token and not more and READ_USER not in settings.scopes:
        yield warning(
            "COBOT_OIDC_KEEP_TOKEN",
            "token_opens_nothing",
            "The app keeps tokens, but asks for no scope of Cobot's API, so they give no access to it.",
            "Add scopes such as read_bookings to COBOT_OIDC_SCOPES, unless views ask for them with requires_scope.",
        )
    if settings.refresh_tokens and settings.redis_url is None:
        yield warning(
            "COBOT_OIDC_REFRESH_TOKENS",
            "refresh_tokens_not_shared",
            "Refresh tokens are kept in the session: if the provider accepts each one once, two processes that use the "
            "same one end the login.",
            "Set COBOT_OIDC_REDIS_URL, unless the app runs in one process, or its refresh tokens never change.",
        )
    if settings.keep_token and settings.api_url is None:
        yield warning(
            "COBOT_OIDC_API_URL",
            "api_url_unknown",
            "The app keeps tokens, but nothing says where API 2 is for this issuer.",
            "Set COBOT_OIDC_API_URL, or COBOT_OIDC_KEEP_TOKEN=False if there is no such API.",
        )

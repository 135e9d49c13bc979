"""The tokens of a login that has ended, revoked where they came from. No logout waits for that, or fails by it."""

from functools import partial

from ..identity.tokens import KeptTokens
from ..identity.user import User
from ..installation import installation
from ..provider import revoking
from .client import CobotAPI


def revoke(user: User, ended: KeptTokens, *, at_cobot_alone: bool = False) -> None:
    """Revoke an access token, and what renews it if the provider has an endpoint for that (RFC 7009).

    Cobot has none, and ends its access tokens by its API. The event ``token_not_revoked`` tells of a failure.

    :param at_cobot_alone: leave the endpoint alone. Some providers end all tokens of a person there, not this login's.
    """
    # The access token first: a provider may end it together with the refresh token, and would refuse it then.
    is_revoked = _is_access_token_revoked(user, ended, at_cobot_alone)
    if not _is_refresh_token_revoked(user, ended, at_cobot_alone) or not is_revoked:
        installation().events.tell("token_not_revoked", user.issuer)


def _is_access_token_revoked(user: User, ended: KeptTokens, at_cobot_alone: bool) -> bool:
    try:
        revoke_there = None if _has_cobots_api(user) else _endpoint(user)
        if revoke_there is not None:
            return at_cobot_alone or revoke_there(token=ended.access_token, kind="access_token")
        CobotAPI(ended.access_token, space=user.space).revoke()
    except Exception:  # also what the app's own function of its spaces raises: nobody is there to be told of it
        return False
    return True


def _has_cobots_api(user: User) -> bool:
    """Whether API 2 is known for the user's space. An issuer of somebody else has none of our provider's."""
    settings = installation().settings
    registration = settings.issuers.registration_of(user.space)
    return settings.api_url is not None and (registration is None or registration.callback is None)


def _is_refresh_token_revoked(user: User, ended: KeptTokens, at_cobot_alone: bool) -> bool:
    if ended.renewal is None or at_cobot_alone:
        return True
    try:
        revoke_there = _endpoint(user)
        return revoke_there is None or revoke_there(token=ended.renewal.refresh_token, kind="refresh_token")
    except Exception:  # also what the app's own function of its spaces raises: nobody is there to be told of it
        return False


def _endpoint(user: User) -> "partial[bool] | None":
    """What revokes a token at the provider's endpoint; ``None`` if its document names none.

    :raises ProviderError: if there is no document.
    """
    installed = installation()
    registration = installed.settings.issuers.registration_of(user.space)
    if registration is None or registration.issuer != user.issuer:  # the configuration has changed
        return None
    provider = installed.provider_of(registration)
    endpoint = provider.metadata().revocation_endpoint
    return None if endpoint is None else partial(revoking.revoke, provider, registration.client, endpoint)

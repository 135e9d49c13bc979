"""The view that logs people out: here, and at the provider too if the app wants that."""

from urllib.parse import urljoin

from flask import after_this_request, redirect, request
from werkzeug.wrappers import Response

from .. import urls
from ..embed.frames import in_frame
from ..errors import LoginError, ProviderError
from ..events import logger
from ..identity import endings, sessions
from ..identity.current import pin_space, requested_registration
from ..identity.stored import Identity
from ..installation import installation
from ..protocol.authorization import logout_url
from . import recent_logins
from .leftovers import forget_tokens


def logout() -> Response:
    """Log out of the space that ``space`` names, or, if it names none, of every one; whatever the host names."""
    if not urls.is_same_origin():
        raise LoginError("logout_cross_site", origin=request.headers.get("Origin", ""))
    space = _space_to_leave()
    if space is not None:
        pin_space(space)
    installed = installation()
    issuers = None if space is None else [requested_registration().issuer]
    logins, over = endings.end(issuers)
    forget_tokens(logins, revoke=installed.settings.revoke_token)
    forget_tokens(over, revoke=False)
    after_this_request(recent_logins.forget)
    endings.tell(login.user for login in logins)
    if there := _provider_logout(logins, over):
        return Response(status=303, headers={"Location": there})  # without a page: it would hold the hint
    return redirect(urls.after_logout(space), 303)


def _space_to_leave() -> str | None:
    if "space" in request.args:
        return request.args["space"] or None
    # A stranger's form is not waited for: it may never arrive.
    return request.form.get("space") or None if sessions.logins(installation().terms) else None


def _provider_logout(valid: list[Identity], over: list[Identity]) -> str | None:
    """The provider's own logout, if it has one and the app wants it; the logout here has already happened.

    From the document at hand: a logout never waits for the network.

    :param valid: the logins that have just ended.
    :param over: those that had ended before: a copy of such a session gets nobody's id token (A04).
    """
    installed = installation()
    if not installed.settings.logout_at_provider:
        return None
    from ..identity import hints  # for apps that log people out there

    logins = [*valid, *over]
    hint = hints.kept(valid[0].kept.hint, valid[0].user) if len(valid) == len(logins) == 1 else None
    for login in logins:
        hints.forget(login.kept.hint)
    if len(logins) != 1 or in_frame():  # one browser can be sent to one provider, and none lets itself be framed
        return None
    registration = installed.settings.issuers.registration_of(logins[0].user.space)
    metadata = None if registration is None else installed.provider_of(registration).held_metadata()
    if registration is None or metadata is None or metadata.end_session_endpoint is None:
        return None
    try:
        return logout_url(
            metadata.end_session_endpoint,
            client_id=registration.client.client_id,
            post_logout_redirect_uri=urljoin(urls.redirect_uri(), urls.after_logout()),
            id_token_hint=hint,
        )
    except ProviderError as error:  # who has logged out is told so, not that something failed
        logger.error("logged out here, but not at the provider: %s", error)
        return None

"""The view that logs people out: here, and at the provider too if the app wants that."""

from collections.abc import Collection
from urllib.parse import urljoin

from flask import after_this_request, redirect, request
from werkzeug.wrappers import Response

from .. import urls
from ..errors import LoginError
from ..identity import endings, sessions
from ..identity.current import current_users, pin_space, requested_registration
from ..identity.stored import Identity
from ..identity.user import User
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
    valid = current_users() if installed.settings.logout_at_provider else []
    logins = endings.end(issuers)
    forget_tokens(logins, revoke=installed.settings.revoke_token)
    after_this_request(recent_logins.forget)
    endings.tell(login.user for login in logins)
    if there := _provider_logout(logins, valid):
        return Response(status=303, headers={"Location": there})  # without a page: it would hold the hint
    return redirect(urls.after_logout(space), 303)


def _space_to_leave() -> str | None:
    if "space" in request.args:
        return request.args["space"] or None
    # A stranger's form is not waited for: it may never arrive.
    return request.form.get("space") or None if sessions.logins(installation().terms) else None


def _provider_logout(logins: list[Identity], valid: Collection[User]) -> str | None:
    """The provider's own logout, if it has one and the app wants it; the logout here has already happened.

    From the document at hand: a logout never waits for the network.

    :param valid: who was logged in until now. A copy of a session that has ended gets nobody's id token (A04).
    """
    installed = installation()
    if not installed.settings.logout_at_provider:
        return None
    from ..identity import hints  # for apps that log people out there

    is_valid = len(logins) == 1 and logins[0].user in valid
    hint = hints.kept(logins[0].kept.hint, logins[0].user) if is_valid else None
    for login in logins:
        hints.forget(login.kept.hint)
    if len(logins) != 1:  # one browser can be sent to one provider
        return None
    registration = installed.settings.issuers.registration_of(logins[0].user.space)
    metadata = None if registration is None else installed.provider_of(registration).held_metadata()
    if registration is None or metadata is None or metadata.end_session_endpoint is None:
        return None
    return logout_url(
        metadata.end_session_endpoint,
        client_id=registration.client.client_id,
        post_logout_redirect_uri=urljoin(urls.redirect_uri(), urls.after_logout()),
        id_token_hint=hint,
    )

"""The request by which a provider ends logins here (OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8).

Anybody can send one. So nothing is fetched for a token before each of its claims is as expected, from an issuer that
the app trusts at this very URL; and what is fetched for tokens that no key verifies has a budget of its own.
"""

import hashlib
import logging

from flask import jsonify, request
from werkzeug.wrappers import Response

from ..errors import CobotOIDCError, LoginError
from ..events import logger
from ..installation import installation
from ..issuers import Registration
from ..protocol.id_token import Expected
from ..protocol.logout_token import LogoutToken, UnverifiedLogoutToken
from ..provider.freshness import Allowance
from .replays import Replays
from .where_logged_in import is_somebody_logged_in

LARGEST_FORM = 32 * 1024  # bytes: a token has at most 16 kB
LOOKS = Allowance(most=1, every=60)  # for keys, beyond those of logins: two at once and then one in half a minute

_FORM = "application/x-www-form-urlencoded"


def logout(registered: str | None = None) -> Response:
    """End the logins that a logout token is about.

    :param registered: the space whose own URL was reached; ``None`` for the common one.
    :returns: 200, or 400 if the token is not valid or the logout did not reach every process.
    """
    try:
        _log_out(_verified(_token(), registered))
    except CobotOIDCError as error:
        failure = error
    else:
        return Response(status=200)
    _report(failure)
    response = jsonify(error="invalid_request", error_description=failure.code)
    response.status_code = 400  # section 2.8: whatever the reason is
    return response


def _token() -> str:
    """The logout token that the request carries.

    :raises LoginError: ``logout_request_malformed``.
    """
    if request.mimetype != _FORM:
        raise LoginError("logout_request_malformed", got=request.mimetype)
    if (request.content_length or 0) > LARGEST_FORM:
        raise LoginError("logout_request_malformed", bytes=request.content_length)
    request.max_content_length = LARGEST_FORM  # of a body that does not say how long it is, no more is read
    tokens = request.form.getlist("logout_token")
    if len(tokens) != 1:
        raise LoginError("logout_request_malformed", tokens=len(tokens))
    return tokens[0]


def _verified(text: str, registered: str | None) -> LogoutToken:
    """What the token says, if it is valid: claims first, then the signature (K21).

    :raises TokenError: if it is not.
    :raises LoginError: ``logout_issuer_unknown``.
    """
    installed = installation()
    settings = installed.settings.provider
    token = UnverifiedLogoutToken.parse(text, settings.algorithms)
    registration = _registration(token.claimed_issuer, registered)
    expected = Expected(
        issuer=registration.issuer,
        client_id=registration.client.client_id,
        nonce=None,
        leeway=settings.leeway,
        max_iat_age=settings.max_iat_age,
        trusted_audiences=settings.trusted_audiences,
    )
    token.check(expected, now=installed.clock())
    if not registration.is_named and not is_somebody_logged_in(registration.issuer):
        raise LoginError("logout_issuer_unknown", issuer=registration.issuer)
    provider = installed.provider_of(registration)
    return provider.verify_logout(token, may_look_again=lambda: _may_look(provider.metadata().jwks_uri))


def _registration(issuer: str | None, registered: str | None) -> Registration:
    """The registration of the issuer that a token claims to be from: one of those that the app trusts at this URL."""
    registration = None if issuer is None else installation().settings.issuers.registration_at(issuer)
    if registration is None or registration.callback != registered:  # another issuer's tokens end nothing here (M11)
        raise LoginError("logout_issuer_unknown", issuer=issuer, space=registered)
    return registration


def _may_look(key_set: str) -> bool:
    """Whether keys may be fetched for a token that ours do not verify: junk must not use up what logins need (K12).

    What logins may fetch is counted by key set, which the issuers of many spaces share, and so is this. While Redis is
    away, nobody counts, and no logout could be carried out.

    :param key_set: its URL.
    """
    store = installation().store()
    return store is not None and store.take(f"budget:logout:{key_set}", LOOKS) and not store.is_away


def _log_out(token: LogoutToken) -> None:
    """End the logins, once for each token: a repeated one would end those that came after it.

    :raises LoginError: ``logout_not_shared``.
    """
    installed = installation()
    settings = installed.settings.provider
    replays = installed.once("logout_tokens", lambda: Replays(installed.clock, installed.store))
    name = hashlib.sha256(f"{token.issuer}#{token.jti}".encode()).hexdigest()[:32]
    if name in replays:
        return
    if not installed.ended_logins.end_at(token.issuer, subject=token.subject, sid=token.sid):
        raise LoginError("logout_not_shared", issuer=token.issuer)
    replays.add(name, seconds=settings.max_iat_age + 2 * settings.leeway)
    installed.events.tell("logged_out_by_provider", token.issuer)


def _report(error: CobotOIDCError) -> None:
    """Tell the operator. Strangers can send rubbish, so it is no error of the app."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    level = logging.ERROR if error.code == "logout_not_shared" else logging.WARNING
    fields = {"event": "provider_logout_failed", "code": error.code}
    logger.log(level, "a back-channel logout failed: %s", error, extra=fields)
    installation().events.count("provider_logout_failed", code=error.code)

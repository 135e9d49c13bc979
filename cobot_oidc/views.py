"""The three views that tell the story of a login. Imported by the first one, with all that only a login needs."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import urljoin

from flask import abort, after_this_request, redirect, request
from werkzeug.wrappers import Response

from . import places, recent_logins, sessions, transactions
from .current import forget_user, pin_space, requested_issuer, requested_space, requested_user
from .errors import CobotOIDCError, LoginError
from .installation import installation
from .pages import is_subresource
from .protocol.authorization import AuthorizationRequest, AuthorizationResponse, logout_url, request_options
from .provider.provider import Grant
from .proxies import the_app
from .signals import user_logged_in, user_logged_out
from .transactions import Transaction, new_secret
from .user import User


def login() -> Response:
    """Send the browser to the provider of the space that was asked for, and remember what to expect back."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return Response(status=204 if request.method == "HEAD" else 503)  # nobody is there yet (security.md F08)
    if "space" in request.args:
        pin_space(request.args["space"] or None)
    space, issuer = requested_space(), requested_issuer()
    next_path = places.checked_next(request.args.get("next"))
    places.offer_login(space, next_path)
    if is_subresource():  # a fetch that followed a redirect: its logins would end nowhere, and evict real ones
        raise LoginError("login_required")
    if elsewhere := places.login_at_callback_host():
        return redirect(elsewhere, 302)
    here, now = installation(), installation().clock()
    redirect_uri, secure = places.redirect_uri(), places.callback_is_secure()
    if not requested_user().is_authenticated and recent_logins.is_stuck(issuer, now, secure=secure):
        raise LoginError("login_stuck", issuer=issuer)
    metadata = here.directory.provider(issuer).begin()
    options = request_options(request.args)
    transaction = Transaction(
        issuer=issuer,
        space=space,
        state=new_secret(),
        nonce=new_secret(),
        code_verifier=new_secret(),
        redirect_uri=redirect_uri,
        next=next_path,
        started_at=int(now),
        max_age=int(options["max_age"]) if "max_age" in options else None,
        issuer_promised=metadata.promises_response_issuer,
    )
    authorization_request = AuthorizationRequest(
        client_id=here.settings.client.client_id,
        redirect_uri=redirect_uri,
        scopes=here.settings.scopes,
        state=transaction.state,
        nonce=transaction.nonce,
        code_verifier=transaction.code_verifier,
        options=options,
    )
    # Without the page that redirects usually have: it would hold state and nonce.
    response = Response(status=302, headers={"Location": authorization_request.url(metadata.authorization_endpoint)})
    transactions.remember(transaction, response, secure=secure)
    here.tell("login_started", issuer)
    return response


def callback() -> Response:
    """Take the provider's answer: whose login it ends, whether it may, and who is logged in now."""
    if request.method == "HEAD":
        abort(405)
    here, secure = installation(), places.callback_is_secure()
    answer = AuthorizationResponse.parse(request.query_string)
    if recent_logins.was_answered(answer.state or "", sessions.issuers(), here.clock(), secure=secure):
        return redirect(places.after_login_again(), 303)  # reload, back button, double click (security.md F03)
    transaction = _consume(answer.state, secure=secure)
    answer.check_issuer(transaction.issuer, promised=transaction.issuer_promised)
    grant = _exchange(transaction, answer.authorization_code())
    _log_in(_user(transaction, grant))
    here.tell("logged_in", transaction.issuer, seconds=here.clock() - transaction.started_at)
    after_this_request(partial(recent_logins.remember, transaction.state, transaction.issuer, here.clock(), secure))
    return redirect(places.after_login(transaction.next, transaction.space), 303)


def logout() -> Response:
    """Log out of the space that ``space`` names, or, if it names none, of every one; whatever the host names."""
    if not places.is_same_origin():
        raise LoginError("logout_cross_site", origin=request.headers.get("Origin", ""))
    space = request.values.get("space") or None
    if space is not None:
        pin_space(space)
    ended = sessions.end(None if space is None else [requested_issuer()])
    forget_user()
    after_this_request(partial(recent_logins.forget, places.callback_is_secure()))
    for user in ended:
        installation().tell("logged_out", user.issuer)
        user_logged_out.send(the_app(), user=user)
    return redirect(_provider_logout(ended) or places.after_logout(space), 303)


def _consume(state: str | None, *, secure: bool) -> Transaction:
    """The transaction of this state, which counts only once, and for the issuer that the app still has."""
    here = installation()
    transaction = transactions.recall(state, secure=secure)
    after_this_request(partial(transactions.forget, transaction.state, secure))
    places.offer_login(transaction.space, transaction.next)
    if not transaction.is_alive(here.clock()):
        raise LoginError("transaction_expired", difference_seconds=here.clock() - transaction.started_at)
    if not here.used_states.claim(transactions.state_hash(transaction.state), here.clock()):
        raise LoginError("transaction_used")
    if here.settings.issuer_of(transaction.space) != transaction.issuer:
        raise LoginError("transaction_outdated", issuer=transaction.issuer)
    return transaction


def _exchange(transaction: Transaction, code: str) -> Grant:
    here = installation()
    return here.directory.provider(transaction.issuer).exchange(
        here.settings.client,
        code=code,
        redirect_uri=transaction.redirect_uri,
        code_verifier=transaction.code_verifier,
        nonce=transaction.nonce,
        max_age=transaction.max_age,
    )


def _user(transaction: Transaction, grant: Grant) -> User:
    here, claims = installation(), grant.claims
    more: Mapping[str, object] = {}
    if here.settings.userinfo:
        more = here.directory.provider(transaction.issuer).userinfo(grant.access_token, claims.subject)
    kept = {
        name: claims.get(name, more.get(name))
        for name in here.settings.claims
        if name not in ("iss", "sub")
        and (name in claims or name in more)  # what the id token says goes before (security.md C15)
    }
    return User(
        issuer=claims.issuer,
        subject=claims.subject,
        space=transaction.space,
        kept_claims=kept,
        authenticated_at=int(here.clock()),
    )


def _provider_logout(ended: list[User]) -> str | None:
    """Where the provider logs somebody out, if it does and the app wants that; here it has happened already."""
    here = installation()
    if not here.settings.logout_at_provider or len(ended) != 1:  # one browser can be sent to one provider
        return None
    try:
        endpoint = here.directory.provider(ended[0].issuer).metadata().end_session_endpoint
    except CobotOIDCError:
        return None
    if endpoint is None:
        return None
    return logout_url(
        endpoint,
        client_id=here.settings.client.client_id,
        post_logout_redirect_uri=urljoin(places.redirect_uri(), places.after_logout()),
    )


def _log_in(user: User) -> None:
    """A new session for this user; undone if a listener of the app refuses them."""
    sessions.start(user, lifetime=installation().settings.session_lifetime)
    pin_space(user.space)
    try:
        user_logged_in.send(the_app(), user=user)
    except BaseException:
        sessions.end([user.issuer])
        forget_user()
        raise

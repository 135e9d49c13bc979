"""The two views that tell the story of a login. Imported once the first answer is sent, with all that logins need."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from flask import abort, after_this_request, redirect, request
from werkzeug.wrappers import Response

from .. import urls
from ..embed.frames import in_frame
from ..errors import CobotOIDCError, ConfigurationError, LoginError, ProviderError
from ..failures import is_subresource
from ..identity import beginnings, logout_marks, sessions
from ..identity.current import forget_user, pin_space, requested_registration, requested_space, requested_user
from ..identity.stored import Identity
from ..installation import installation
from ..issuers import Registration
from ..protocol.authorization import AuthorizationRequest, AuthorizationResponse, request_options
from ..protocol.discovery import ProviderMetadata
from ..provider.provider import Provider
from ..provider.token_endpoint import exchange
from ..urls import Destination
from . import asking, recent_logins, transactions
from .leftovers import forget_hints, forget_tokens
from .outcome import LoggedIn, logged_in, tell_listeners
from .transactions import Transaction, new_secret


def login() -> Response:
    """Send the browser to the provider of the space that was asked for, and remember what to expect back."""
    if request.method == "HEAD" or _is_prefetch():
        return Response(status=204 if request.method == "HEAD" else 503)  # nobody is there yet (F08)
    if in_frame():  # no provider can be shown here; the page that opens a window for it can
        return redirect(urls.in_frame_instead(), 302)
    if "space" in request.args:
        pin_space(request.args["space"] or None)
    destination = Destination(requested_space(), urls.checked_next(request.args.get("next")))
    urls.offer_login(destination)
    if is_subresource():  # a fetch that followed a redirect: its logins would end nowhere, and evict real ones
        raise LoginError("login_required")
    if elsewhere := urls.login_at_callback_host():
        return redirect(elsewhere, 302)
    transaction, location = _begin(destination)
    # Without the page that redirects usually have: it would hold state and nonce.
    response = Response(status=302, headers={"Location": location})
    transactions.remember(transaction, response)
    installation().events.tell("login_started", transaction.issuer)
    return response


def callback(registered: str | None = None) -> Response:
    """Take the provider's answer: whose login it ends, whether it may, and who is logged in now.

    :param registered: the space whose own callback was reached; ``None`` for the common one.
    """
    if request.method == "HEAD":
        abort(405)
    installed = installation()
    answer = AuthorizationResponse.parse(request.query_string)
    if recent_logins.was_answered(answer.state or "", sessions.by_issuer(installed.terms), installed.clock()):
        return redirect(urls.after_login_again(), 303)  # reload, back button (F03)
    with _its_error_in_the_log(answer):
        if recent_logins.has_failed(answer.state or "", installed.clock()):
            raise LoginError("transaction_used")
        transaction = transactions.recall(answer.state)
        urls.offer_login(transaction.destination)
        state_hash = transactions.state_hash(transaction.state)
        try:
            login = installed.used_states.login_of(state_hash, lambda: _exchange_code(transaction, answer, registered))
        except CobotOIDCError:
            # Without room for the call nothing was spent, and the same answer may come again (X04).
            if installed.used_states.is_claimed(state_hash):
                after_this_request(partial(transactions.forget, transaction.state))
                after_this_request(partial(recent_logins.remember_failure, transaction.state, installed.clock()))
            raise
    after_this_request(partial(transactions.forget, transaction.state))
    place = _start_session(login, transaction)
    installed.used_states.remember(state_hash, login.identity)
    _join_crossed_logins()
    installed.events.tell("logged_in", transaction.issuer, seconds=installed.clock() - transaction.started_at)
    after_this_request(partial(recent_logins.remember, transaction.state, transaction.issuer, installed.clock()))
    return redirect(place, 303)


def _is_prefetch() -> bool:
    """Whether the browser only looks ahead: ``Sec-Purpose``, or what browsers said before it."""
    return any("prefetch" in request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))


def _begin(destination: Destination) -> tuple[Transaction, str]:
    """What to remember of a login that begins, and the provider's URL that asks for it.

    :raises LoginError: ``login_stuck``.
    """
    installed, registration, now = installation(), requested_registration(), installation().clock()
    redirect_uri = urls.redirect_uri(registration.callback)
    if not requested_user().is_authenticated and recent_logins.is_stuck(registration.issuer, now):
        raise LoginError("login_stuck", issuer=registration.issuer)
    options, asked = request_options(request.args), asking.further_parameters(destination)
    provider = installed.provider_of(registration)
    metadata = _document(provider, destination.space)
    scopes = asking.further_scopes()
    transaction = Transaction(
        issuer=registration.issuer,
        destination=destination,
        state=new_secret(),
        nonce=new_secret(),
        code_verifier=new_secret(),
        redirect_uri=redirect_uri,
        started_at=int(now),
        max_age=asking.strictest_max_age(options, asked),
        issuer_promised=metadata.promises_response_issuer,
        scopes=scopes,
        asked=asked.remembered,
    )
    if transaction.max_age is not None:
        options["max_age"] = str(transaction.max_age)
    authorization_request = AuthorizationRequest(
        client_id=registration.client.client_id,
        redirect_uri=redirect_uri,
        scopes=(*installed.settings.scopes, *scopes),
        state=transaction.state,
        nonce=transaction.nonce,
        code_verifier=transaction.code_verifier,
        options=options,
        further=asked.pairs,
    )
    return transaction, asking.location(authorization_request, registration.client, metadata, provider)


def _document(provider: Provider, space: str | None) -> ProviderMetadata:
    """The document for a login that begins. A missing one is the visitor's mistake at a space, else the operator's."""
    try:
        return provider.begin()
    except ProviderError as error:
        if space is None and error.code == "provider_not_found":
            raise ConfigurationError("issuer_not_found", issuer=provider.issuer) from error
        raise


def _exchange_code(transaction: Transaction, answer: AuthorizationResponse, registered: str | None) -> LoggedIn:
    """Who this answer logs in: the code is exchanged, once, if everything before that is as expected."""
    registration = _expected(transaction, registered)
    code = _code(transaction, answer)
    provider = installation().provider_of(registration)
    with provider.room_for_a_login(), _a_missing_secret_in_the_log(registration):
        _claim(transaction)
        token_set = exchange(
            provider,
            registration.client,
            code=code,
            redirect_uri=transaction.redirect_uri,
            code_verifier=transaction.code_verifier,
            nonce=transaction.nonce,
            max_age=transaction.max_age,
            resources=transaction.asked.resources,
            required=transaction.asked.required,
        )
        return logged_in(transaction, token_set, provider, registration.client)


@contextmanager
def _its_error_in_the_log(answer: AuthorizationResponse) -> Iterator[None]:
    """What the provider says is in the log also if it is about no login of ours."""
    try:
        yield
    except LoginError as error:
        if answer.error is not None and "error" not in error.details:
            error.note(error=answer.error, description=answer.error_description or "")
        raise


@contextmanager
def _a_missing_secret_in_the_log(registration: Registration) -> Iterator[None]:
    """Where there is no secret, nobody has to look for a wrong one."""
    try:
        yield
    except ConfigurationError as error:
        if error.code == "client_refused" and registration.client.authentication == "none":
            space = registration.callback
            where = (
                "COBOT_OIDC_CLIENT_SECRET" if space is None else f"client_secret of {space} in COBOT_OIDC_SPACE_ISSUERS"
            )
            error.note(reason=f"no secret was sent: {where} is not set")
        raise


def _expected(transaction: Transaction, registered: str | None) -> Registration:
    """The registration that the transaction's answer belongs to, if it is still valid and came to the right callback.

    The code of one issuer never goes to another: each that is not the provider's own has its own callback (RFC 9700
    section 4.4.2.2, X01).
    """
    installed = installation()
    registration = installed.settings.issuers.registration_of(transaction.destination.space)
    if not transaction.is_alive(installed.clock()):
        _claim(transaction)
        raise LoginError("transaction_expired", difference_seconds=installed.clock() - transaction.started_at)
    if registration is None or registration.issuer != transaction.issuer:
        _claim(transaction)
        raise LoginError("transaction_outdated", issuer=transaction.issuer)
    if not transaction.redirect_uri == urls.redirect_uri(registered) == urls.redirect_uri(registration.callback):
        _claim(transaction)
        raise LoginError("callback_mismatch", expected=transaction.redirect_uri, got=urls.redirect_uri(registered))
    return registration


def _code(transaction: Transaction, answer: AuthorizationResponse) -> str:
    """The code of an answer by the issuer that was asked. An answer without one ends the login too."""
    try:
        answer.check_issuer(transaction.issuer, promised=transaction.issuer_promised)
        return answer.authorization_code()
    except LoginError:
        _claim(transaction)
        raise


def _claim(transaction: Transaction) -> None:
    """From here on the transaction is used, however this ends."""
    installed = installation()
    if not installed.used_states.claim(transactions.state_hash(transaction.state), installed.clock()):
        raise LoginError("transaction_used")


def _start_session(login: LoggedIn, transaction: Transaction) -> str:
    """A new session for this user, and where to go; as if nothing had happened if that cannot be found, or if a
    listener of the app refuses them.
    """
    installed = installation()
    before = sessions.logins(installed.terms)
    with beginnings.undone_on_error():
        for issuer in beginnings.start(login.identity, installed.terms):
            installed.events.tell("logout_hint_left_out", issuer)
        pin_space(login.user.space)
        try:
            tell_listeners(login)
            place = urls.after_login(transaction.destination)
        except BaseException:
            forget_user()
            forget_tokens([login.identity], revoke=False)
            if installed.settings.logout_at_provider:
                forget_hints([login.identity], [])
            raise
    sessions.rotate()
    _end_replaced(before, login)
    return place


def _end_replaced(before: list[Identity], login: LoggedIn) -> None:
    """End the logins that a new one has taken the place of: what they left, their copies, and pages still on their way.

    :param before: the logins that the session held.
    """
    installed, user = installation(), login.user
    after = sessions.logins(installed.terms)
    held = {one.kept.token for one in after}
    replaced = [one for one in before if one.kept.token not in held]
    forget_tokens(replaced, revoke=installed.settings.revoke_token, but=login.access_token)
    if installed.settings.logout_at_provider:
        forget_hints(before, after)
    # The same person's earlier login ends too: a copy of it, or a frame that has it, would outlive the next logout.
    alive = {one.user.login_id for one in after}
    installed.ended_logins.add(one.user for one in before if one.user.login_id not in alive)
    gone = {one.user for one in before} - {one.user for one in after}
    if gone or logout_marks.are_marked():
        valid_from = {one.issuer: user.authenticated_at + 1 for one in gone} | {user.issuer: user.authenticated_at}
        after_this_request(partial(logout_marks.mark, valid_from))


def _join_crossed_logins() -> None:
    """Logins that this browser had open when it sent this request, and that have ended since."""
    installed = installation()
    crossed = [transactions.state_hash(state) for state in transactions.open_states()]
    beginnings.join(installed.used_states.logins_of(crossed, installed.clock()), installed.terms)

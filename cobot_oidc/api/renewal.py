"""Access tokens that expire: renewed with the refresh token (RFC 6749 section 6) when somebody needs one, once for all.

A refresh token can often be used only once: a provider that sees it again ends the login. So only one thread at a time
renews the token of a login, across all processes if there is a Redis; the others get its result. It runs in a thread of
its own, so that a request that gives up waiting does not lose the new token. Imported only by apps that use refresh
tokens.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from flask import Flask, has_app_context, has_request_context

from ..context import the_app
from ..errors import APIError, CobotOIDCError, TokenError
from ..identity import beginnings, endings, tokens, vault
from ..identity.current import forget_user, identity_of
from ..identity.tokens import KeptTokens, Renewal
from ..identity.user import User
from ..installation import Installation, installation
from ..protocol.refreshed import Original
from ..provider import token_endpoint
from ..provider.deadline import result_by_the_deadline, within
from ..provider.freshness import FIRST_PAUSE
from .client import CobotAPI, hash_of_token

T = TypeVar("T")

RENEWED_AHEAD = 10  # seconds before a token expires: a call takes a moment
MOST_REMEMBERED = 10_000


def token_of(user: User, held: str | None, refused: str | None = None) -> str | None:
    """The access token of a user of this browser, renewed if it has expired, or if Cobot has refused it.

    :param held: the token as the login's entry in the session holds it.
    :param refused: ``hash_of_token`` of the token that was refused.
    :returns: ``None`` if there is none.
    :raises APIError: ``refresh_refused``, and the login is ended; ``token_not_renewed`` while the provider cannot be
        asked; ``token_unavailable``.
    """
    try:
        newest = _newest(user, held, refused)
        return tokens.kept(newest, user)
    except CobotOIDCError as error:
        failure = error.copy()
    raise failure  # apart from its cause, whose frames hold tokens (L02)


def token_after_refusal(app: Flask, user: User, held: str, refused: str) -> str | None:
    """The same for a client of the API, wherever it is used; ``None`` if there is no other token."""
    if has_app_context():
        return token_of(user, held, refused)
    with app.app_context():
        return token_of(user, held, refused)


def _newest(user: User, held: str | None, refused: str | None) -> str | None:
    if held is None:
        return None
    installed = installation()
    renewals = installed.once("renewals", lambda: Renewals(installed))
    newest = renewals.newest(the_app(), user, held, refused)
    if newest != held and has_request_context():
        _keep(user, newest)
    return newest


def _keep(user: User, held: str) -> None:
    """Let the session hold the renewed token."""
    installed, identity = installation(), identity_of(user)
    if identity is None or identity.kept.token == held or identity.user.login_id != user.login_id:
        return
    if not beginnings.keep_token(identity, held, installed.terms):
        installed.events.tell("token_not_kept", user.issuer)
    forget_user()


class Renewals:
    """The renewals of one process, and what came of them. This class is thread-safe."""

    def __init__(self, installed: Installation) -> None:
        self._installed = installed
        self._clock = installed.clock
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[str]] = {}
        self._renewed: OrderedDict[str, str] = OrderedDict()  # what sessions hold → what they should
        self._failed_at: OrderedDict[str, float] = OrderedDict()

    def newest(self, app: Flask, user: User, held: str, refused: str | None) -> str:
        """What the session should hold: the token that it holds, or the one that another request got for it."""
        while (newer := self._renewed.get(held)) is not None:
            held = newer
        both = tokens.kept_with_renewal(held, user)
        if both is None or both.renewal is None or not self._is_stale(both, refused):
            return held
        if refused is not None and not _can_be_kept(held):
            return held
        try:
            if not _can_be_kept(held):
                raise APIError("token_not_renewed", reason="no session to keep it in")
            return self._renew_once(app, user, held, refused)
        except CobotOIDCError as error:
            if error.code in ("refresh_refused", "token_missing"):
                raise
            if refused is None and not self._has_expired(both.renewal):
                return held  # it serves until it expires
            failure = APIError("token_not_renewed", reason=error.code)
        raise failure

    def _renew_once(self, app: Flask, user: User, held: str, refused: str | None) -> str:
        failed_at = self._failed_at.get(held)
        if failed_at is not None and 0 <= self._clock() - failed_at < FIRST_PAUSE:
            raise APIError("token_not_renewed", reason="a moment ago")
        with self._lock:
            under_way = self._under_way.get(held)
            own: Future[str] | None = None
            if under_way is None:
                own = under_way = self._under_way[held] = Future()
        if own is not None:
            self._run_beside(app, user, held, refused, own)
        try:
            with within(self._installed.settings.provider.total_timeout + 1):
                return result_by_the_deadline(under_way)
        except APIError as error:
            if error.code == "refresh_refused" and own is not None:
                endings.end_of(user, held)
            raise

    def _run_beside(self, app: Flask, user: User, held: str, refused: str | None, result: "Future[str]") -> None:
        arguments = app, user, held, refused, result
        try:
            threading.Thread(target=self._run, args=arguments, name="cobot-oidc-renewal", daemon=True).start()
        except RuntimeError:  # no more threads
            self._run(*arguments)

    def _run(self, app: Flask, user: User, held: str, refused: str | None, result: "Future[str]") -> None:
        try:
            with app.app_context(), within(self._installed.settings.provider.total_timeout):
                newest = self._renew(user, held, refused)
        except CobotOIDCError as error:
            if error.code != "refresh_refused":
                self._remember(self._failed_at, held, self._clock())
            self._settle(held)
            result.set_exception(error.copy())
        except BaseException:
            self._settle(held)
            result.set_exception(APIError("token_not_renewed", reason="gave up"))
            raise
        else:
            if newest != held:
                self._remember(self._renewed, held, newest)
            self._settle(held)
            result.set_result(newest)

    def _settle(self, held: str) -> None:
        with self._lock:
            del self._under_way[held]

    def _remember(self, memory: OrderedDict[str, T], held: str, what: T) -> None:
        with self._lock:
            memory[held] = what
            if len(memory) > MOST_REMEMBERED:
                memory.popitem(last=False)

    def _renew(self, user: User, held: str, refused: str | None) -> str:
        with self._turn(held):
            both = tokens.kept_with_renewal(held, user)  # another process may have renewed it meanwhile
            if both is None:
                raise APIError("token_missing")
            if both.renewal is None or not self._is_stale(both, refused):
                return held
            renewed = self._exchanged(user, both.renewal)
            newest = tokens.replace(held, renewed, user)
        if newest is None:  # somebody has logged out meanwhile: the new token ends as the old one did (A04)
            self._revoke(user, renewed)
            raise APIError("token_missing")
        self._installed.events.tell("token_renewed", user.issuer)
        return newest

    def _revoke(self, user: User, unused: KeptTokens) -> None:
        if not self._installed.settings.revoke_token:
            return
        try:
            CobotAPI(unused.access_token, space=user.space).revoke()
        except CobotOIDCError:
            self._installed.events.tell("token_not_revoked", user.issuer)

    @contextmanager
    def _turn(self, held: str) -> Iterator[None]:
        store = self._installed.store()
        if store is None or not vault.is_in_redis(held):
            yield
        else:
            seconds = self._installed.settings.provider.total_timeout + 1
            with store.turn(f"renewal:{held[1:]}", seconds=seconds):
                yield

    def _exchanged(self, user: User, renewal: Renewal) -> KeptTokens:
        """What the provider gives for a refresh token.

        :raises APIError: ``refresh_refused``, also if the id token that came with it is not about this login (S22);
            ``token_not_renewed`` if that cannot be told, as the provider's keys do not verify it.
        """
        registration = self._installed.settings.issuers.registration_of(user.space)
        if registration is None or registration.issuer != user.issuer:  # the configuration has changed
            raise APIError("token_missing")
        provider = self._installed.provider_of(registration)
        original = Original(user.subject, renewal.auth_time, renewal.nonce, renewal.azp)
        with provider.room_for_a_login():
            try:
                answer = token_endpoint.refresh(
                    provider, registration.client, refresh_token=renewal.refresh_token, original=original
                )
            except TokenError as error:
                # With a key that cannot be had, nobody knows whom the token is about: it is not used, and ends nothing.
                is_unknown = error.code == "key_unknown"
                refusal = APIError("token_not_renewed" if is_unknown else "refresh_refused", reason=error.code)
            else:
                expires_at = None if answer.expires_in is None else int(self._clock()) + answer.expires_in
                refresh_token = answer.refresh_token or renewal.refresh_token
                renewed = Renewal(refresh_token, expires_at, renewal.auth_time, renewal.nonce, renewal.azp)
                return KeptTokens(answer.access_token, renewed)
        raise refusal

    def _is_stale(self, both: KeptTokens, refused: str | None) -> bool:
        if refused is not None:
            return hash_of_token(both.access_token) == refused
        expires_at = both.renewal.expires_at if both.renewal is not None else None
        return expires_at is not None and self._clock() >= expires_at - RENEWED_AHEAD

    def _has_expired(self, renewal: Renewal) -> bool:
        return renewal.expires_at is not None and self._clock() >= renewal.expires_at


def _can_be_kept(held: str) -> bool:
    """Whether a renewed token would reach the session: in a thread of its own, only Redis can keep it."""
    return vault.is_in_redis(held) or has_request_context()

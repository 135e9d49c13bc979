"""What somebody is in their space: asked of Cobot at the login, remembered, and asked again while the token is kept.

A login does not prove a membership (docs/cobot.md 5), so nobody is a member who is not known to be one. An answer is
shared by the threads of this process, and with Redis by all processes; no page waits for it but one that wants to know.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from flask import has_app_context, has_request_context

from ..context import the_app
from ..errors import APIError, CobotOIDCError, ConfigurationError, LoginError, ProviderError
from ..installation import Installation, installation
from ..provider.deadline import result_by_the_deadline, within
from ..provider.freshness import CLOCKS_DIFFER, LONGEST_PAUSE, RENEW_AHEAD_FROM, Freshness, freshness, pause_after
from .current import identity_of
from .stored import NOTHING_KEPT, Kept
from .user import Membership, Standing, User

if TYPE_CHECKING:
    from flask import Flask

    from ..api.client import CobotAPI

MOST_REMEMBERED = 10_000
LONGEST_WAIT = 4.0  # seconds that a page waits for Cobot's answer
MOST_ASKING = 4  # threads of a process at once
LONGEST_TURN = 0.5  # seconds that a page waits until it may ask

# What keeps nobody in by the last answer: whoever left the space could bring it about.
_OF_THE_TOKEN = ("token_refused", "token_missing", "token_unavailable", "refresh_refused")

_Ask = Callable[[], Standing]
_Key = tuple[str, str, str | None]  # issuer, subject, space


def standing_of(user: User) -> Standing:
    """What a user is in the space that they are logged in to.

    :raises ConfigurationError: ``setting_missing`` if the app does not ask for memberships.
    :raises LoginError: ``membership_unknown`` if Cobot cannot be asked, and no answer is recent enough;
        ``login_required`` if only another login can tell, as this one is from before the app asked.
    :raises APIError: ``token_refused`` if Cobot does not accept the kept token any more; ``token_missing``.
    """
    installed = installation()
    if not installed.settings.membership:
        raise ConfigurationError("setting_missing", setting="COBOT_OIDC_MEMBERSHIP", expected="True")
    identity = identity_of(user) if has_request_context() else None
    kept = NOTHING_KEPT if identity is None else identity.kept
    if identity is not None and not kept.can_tell_standing:
        raise LoginError("login_required", reason="this login is from before COBOT_OIDC_MEMBERSHIP was set")
    held = kept.token
    if held is None:  # it cannot be asked again: the answer is as old as the login
        if (standing := kept.standing) is None:
            raise LoginError("membership_unknown", space=user.space)
        return standing
    memberships = installed.once("memberships", lambda: Memberships(installed))
    if (known := memberships.known(user, kept)) is not None:
        return known
    app = the_app()
    return memberships.find(user, kept, lambda: _ask_with_kept_token(app, user, held))


def known_standing(user: User) -> Standing | None:
    """The same; ``None`` if it is not known."""
    try:
        return standing_of(user)
    except CobotOIDCError:
        return None


def ask(user: User, api: "CobotAPI") -> Standing:
    """Ask Cobot what a user is in their space.

    :raises APIError: if there is no answer.
    """
    me = api.me()
    found = me.membership_in(user.space) if user.space is not None else None
    # The space's name is for people, and would make the session longer.
    membership = None if found is None else Membership(found.id, found.space)
    is_admin = user.space is not None and me.administrates(user.space)
    return Standing(membership, is_admin, int(installation().clock()), me.id)


class _Failures(NamedTuple):
    how_many: int
    latest_at: float


class Memberships:
    """The answers that are remembered, the least recently used forgotten first. This class is thread-safe."""

    def __init__(self, installed: Installation) -> None:
        settings = installed.settings
        self._lifetime = settings.membership_lifetime
        self._stale = settings.membership_stale
        self._fresh_for = self._lifetime * RENEW_AHEAD_FROM
        self._clock = installed.clock
        self._store = installed.store
        self._tell = installed.events.tell
        self._lock = threading.Lock()
        self._standings: OrderedDict[_Key, Standing] = OrderedDict()
        self._under_way: dict[_Key, Future[Standing]] = {}
        self._room = threading.BoundedSemaphore(MOST_ASKING)
        self._refused: OrderedDict[str, float] = OrderedDict()
        self._failures: dict[str, _Failures] = {}  # by issuer: whoever runs one must not close the others' guards

    def known(self, user: User, kept: Kept) -> Standing | None:
        """What is known well enough that nobody need be asked: on most page views, which this must not slow down."""
        known = self._newest((user.issuer, user.subject, user.space), kept)
        return known if known is not None and 0 <= self._clock() - known.asked_at < self._fresh_for else None

    def find(self, user: User, kept: Kept, ask: _Ask) -> Standing:
        """What the user is in their space; asked for in the background while the last answer is good enough.

        :param kept: what Cobot said at the login, and the token.
        :param ask: asks Cobot with that.
        :raises LoginError: ``membership_unknown``.
        :raises APIError: ``token_refused`` or ``token_missing``.
        """
        key = user.issuer, user.subject, user.space
        known = self._newest(key, kept)
        state = self._state(known)
        if known is not None and state is Freshness.FRESH:
            return known
        if known is not None and state is Freshness.AGING:
            self._ask_in_background(key, ask)
            return known
        if (shared := self._shared(key)) is not None and self._state(shared) in (Freshness.FRESH, Freshness.AGING):
            self._remember(key, shared)
            return shared
        refused_at = self._refused.get(kept.token or "")
        if refused_at is not None and 0 <= self._clock() - refused_at < LONGEST_PAUSE:
            raise APIError("token_refused", reason="a moment ago")
        try:
            with within(LONGEST_WAIT):
                return self._ask_once(key, ask)
        except APIError as error:
            if error.code in _OF_THE_TOKEN:
                if error.code == "token_refused":
                    self._note_refusal(kept)
                raise
            reason = error.code
        except ProviderError as error:  # another thread asks, and there is no answer in time
            reason = error.code
        if known is not None and state is Freshness.STALE:
            return known
        self._tell("membership_unknown", user.issuer)
        raise LoginError("membership_unknown", space=user.space, reason=reason)

    def _state(self, standing: Standing | None) -> Freshness:
        if standing is None:
            return Freshness.EXPIRED
        return freshness(self._clock() - standing.asked_at, lifetime=self._lifetime, stale=self._stale)

    def _newest(self, key: _Key, kept: Kept) -> Standing | None:
        remembered = self._standings.get(key)
        if remembered is not None and remembered.asked_at >= kept.asked_at:
            return remembered
        if kept.asked_at > self._clock() + CLOCKS_DIFFER:  # the clock was ahead (X13)
            return remembered
        at_login = kept.standing
        if at_login is not None:
            self._remember(key, at_login)
        return at_login or remembered

    def _ask_in_background(self, key: _Key, ask: _Ask) -> None:
        def run() -> None:
            try:
                self._ask_once(key, ask)
            except CobotOIDCError:
                return  # the next page tries again; what is known stays in use until it is too old

        if key not in self._under_way and not self._is_pausing(key[0]):
            try:
                threading.Thread(target=run, name="cobot-oidc-membership", daemon=True).start()
            except RuntimeError:  # no more threads: at the next page
                return

    def _ask_once(self, key: _Key, ask: _Ask) -> Standing:
        """Ask Cobot, one thread for each user; the others get its answer."""
        if self._is_pausing(key[0]):
            raise APIError("api_unreachable", reason="it did not answer a moment ago")
        with self._lock:
            under_way = self._under_way.get(key)
            if under_way is None:
                own = self._under_way[key] = Future()
        if under_way is not None:
            return result_by_the_deadline(under_way)
        try:
            standing = self._asked(ask)
        except BaseException as error:
            failure = error if isinstance(error, CobotOIDCError) else APIError("api_unreachable", reason="gave up")
            own.set_exception(failure.copy())
            self._note_failure(key[0], failure)
            raise
        else:
            self._failures.pop(key[0], None)
            self._remember(key, standing)
            self._share(key, standing)
            own.set_result(standing)
            return standing
        finally:
            with self._lock:
                del self._under_way[key]

    def _asked(self, ask: _Ask) -> Standing:
        """A Cobot that hangs holds up only some threads: the others are for pages that need no answer (X06)."""
        if not self._room.acquire(timeout=LONGEST_TURN):
            raise APIError("api_busy")
        try:
            return ask()
        finally:
            self._room.release()

    def _note_failure(self, issuer: str, failure: CobotOIDCError) -> None:
        """A Cobot that is away is not asked again at once, for nobody: each page would wait for it."""
        if failure.code in ("api_unreachable", "api_failing", "answer_unusable"):
            before = self._failures.get(issuer)
            self._failures[issuer] = _Failures(1 if before is None else before.how_many + 1, self._clock())

    def _note_refusal(self, kept: Kept) -> None:
        """A token that Cobot refuses is not tried again at once, by each page of that login."""
        with self._lock:
            self._refused[kept.token or ""] = self._clock()
            if len(self._refused) > MOST_REMEMBERED:
                self._refused.popitem(last=False)

    def _is_pausing(self, issuer: str) -> bool:
        failures = self._failures.get(issuer)
        return failures is not None and 0 <= self._clock() - failures.latest_at < pause_after(failures.how_many)

    def _remember(self, key: _Key, standing: Standing) -> None:
        with self._lock:
            self._standings[key] = standing
            self._standings.move_to_end(key)
            if len(self._standings) > MOST_REMEMBERED:
                self._standings.popitem(last=False)

    def _shared(self, key: _Key) -> Standing | None:
        store = self._store()
        found = None if store is None else store.get(_name(key))
        match found:
            case {"membership": str() | None as name, "space": str(space), "is_admin": bool(admin), "at": int(at)}:
                return Standing(Membership(name, space) if name else None, admin, at)
        return None

    def _share(self, key: _Key, standing: Standing) -> None:
        store, membership = self._store(), standing.membership
        if store is not None:
            value = {
                "membership": None if membership is None else membership.id,
                "space": "" if membership is None else membership.space,
                "is_admin": standing.is_admin,
                "at": standing.asked_at,
            }
            store.put(_name(key), value, seconds=self._lifetime + self._stale)


def _ask_with_kept_token(app: "Flask", user: User, held: str) -> Standing:
    from ..api.current import api_with  # imports requests and Authlib, which no page needs that asks nothing

    # Not another context within a request: what renews a token needs the session.
    with nullcontext() if has_app_context() else app.app_context():
        return ask(user, api_with(held, user))


def _name(key: _Key) -> str:
    return "standing:" + hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]

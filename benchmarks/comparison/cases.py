"""What goes wrong, one case a row: what the provider does, and what should become of the login."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from .browser import LOGGED_IN, Answer, Browser, Refused
from .peers import DOES_NOT_START, Peer
from .provider import DOCUMENT, KEYS, TOKEN, Faults, Provider

NOW = int(time.time())
SLOW = 4.0  # seconds
LONGEST_RECOVERY = 40.0  # seconds


class Stage:
    """One app in front of one provider. Apps that saw a fault of the network are not used again."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.provider = Provider()
        self._stack = ExitStack()
        self._url = ""

    def close(self) -> None:
        self._stack.close()
        self.provider.stop()

    def restart(self) -> None:
        """A new process; nothing is wrong until it is told."""
        self._stack.close()
        self._url = self._stack.enter_context(self._peer.running(self.provider.issuer))

    def browser(self) -> Browser:
        if not self._url:
            self.restart()
        return Browser(self._url, self.provider.issuer)

    def log_in(self) -> str:
        """One login of a new browser: what becomes of it, with the seconds if they are many until it is refused."""
        browser = self.browser()
        began = time.monotonic()
        try:
            said = browser.come_back(browser.allow(browser.begin()))
        except Refused as refused:
            said = str(refused)
            seconds = time.monotonic() - began
            return f"{said} after {seconds:.0f} s" if seconds > SLOW and " s" not in said else said
        return said


Play = Callable[[Stage], str]
BAD_SIGNS = ("no answer", "the connection ended")


@dataclass(frozen=True)
class Case:
    """A row.

    :ivar wanted: how the outcome has to begin, if it matters.
    :ivar own_process: whether the app is started anew for it, as what it remembers matters.
    """

    title: str
    wanted: str
    play: Play
    own_process: bool = False

    def outcome(self, stage: Stage) -> str:
        """What an app does; in bold if that is not what is wanted, or no answer."""
        stage.provider.faults = Faults()
        if self.own_process:
            stage.restart()
        said = self.play(stage)
        stage.provider.faults = Faults()
        wanted = (self.wanted, DOES_NOT_START) if self.wanted == REFUSED else self.wanted
        is_well = said.startswith(wanted) and not any(sign in said for sign in BAD_SIGNS)
        return said if is_well else f"**{said}**"


def told(faults: Faults) -> Play:
    """A login while this is wrong."""

    def play(stage: Stage) -> str:
        stage.provider.faults = faults
        return stage.log_in()

    return play


def told_from_the_start(faults: Faults) -> Play:
    """The same, of an app that starts while this is wrong, as some read the document only then."""

    def play(stage: Stage) -> str:
        stage.provider.faults = faults
        try:
            stage.restart()
        except ChildProcessError as error:
            return str(error)
        return stage.log_in()

    return play


def later(faults: Faults) -> Play:
    """A login while this is wrong, after one when it was not."""

    def play(stage: Stage) -> str:
        return _after_a_login(stage) or told(faults)(stage)

    return play


def down_at_start(stage: Stage) -> str:
    stage.provider.faults = Faults(statuses={DOCUMENT: 503})
    try:
        stage.restart()
    except ChildProcessError as error:
        return str(error)
    during = stage.log_in()
    stage.provider.faults = Faults()
    began = time.monotonic()
    while (said := stage.log_in()) != LOGGED_IN and time.monotonic() - began < LONGEST_RECOVERY:
        time.sleep(0.5)
    seconds = time.monotonic() - began
    when = f"after {seconds:.0f} s" if seconds > SLOW else "at once"
    return f"starts; {during}; {said} {when} when it is back"


def rotated(stage: Stage) -> str:
    if failed := _after_a_login(stage):
        return failed
    stage.provider.rotate()
    return stage.log_in()


def _after_a_login(stage: Stage) -> str:
    """What went wrong with a login of which nothing should."""
    said = stage.log_in()
    return "" if said == LOGGED_IN else f"even before, {said}"


def answered_twice(stage: Stage) -> str:
    """The same answer in another browser, which began no login."""
    victim = stage.browser()
    answer = victim.allow(victim.begin())
    return _come_back(stage.browser(), answer)


def mixed_up(stage: Stage) -> str:
    """The answer says that it is another issuer's, as RFC 9207 has it."""
    stage.provider.faults = Faults(metadata={"authorization_response_iss_parameter_supported": True})
    stage.restart()
    browser = stage.browser()
    return _come_back(browser, browser.allow(browser.begin()).but(iss="https://evil.example"))


def cancelled(stage: Stage) -> str:
    browser = stage.browser()
    answer = browser.allow(browser.begin())
    said_no = {"error": "access_denied", "error_description": "No.", "state": answer.parameters["state"]}
    return _come_back(browser, replace(answer, parameters=said_no))


def two_tabs(stage: Stage) -> str:
    """Two logins that begin one after the other, and end in the same order."""
    browser = stage.browser()
    first, second = browser.begin(), browser.begin()
    for asked in (first, second):
        if (said := _come_back(browser, browser.allow(asked))) != LOGGED_IN:
            return f"{'first' if asked is first else 'second'} {said}"
    return LOGGED_IN


def _come_back(browser: Browser, answer: Answer) -> str:
    try:
        return browser.come_back(answer)
    except Refused as refused:
        return str(refused)


REFUSED, EITHER = "refused", ""
NONE_TOO = {"id_token_signing_alg_values_supported": ["RS256", "none"]}
HS256_TOO = {"id_token_signing_alg_values_supported": ["RS256", "HS256"]}
EVIL = "https://evil.example"
NETWORK = (
    Case("Nothing is wrong", LOGGED_IN, Stage.log_in),
    Case("The document answers 503 while the app starts", f"starts; {REFUSED}", down_at_start),
    Case("The document answers 503 at a later login", LOGGED_IN, later(Faults(statuses={DOCUMENT: 503})), True),
    Case("The key set answers 503 at the first login", EITHER, told(Faults(statuses={KEYS: 503})), True),
    Case("The key set answers 503 at a later login", LOGGED_IN, later(Faults(statuses={KEYS: 503})), True),
    Case("Another key takes the place of the one before", LOGGED_IN, rotated, True),
    Case("The token endpoint answers 500", REFUSED, told(Faults(statuses={TOKEN: 500})), True),
    Case("The token endpoint never answers", REFUSED, told(Faults(silent=frozenset({TOKEN}))), True),
    Case("It sends a byte every half second", REFUSED, told(Faults(dripping=frozenset({TOKEN}))), True),
    Case("The person says no (`access_denied`)", REFUSED, cancelled, True),
    Case("Two tabs log in at once", LOGGED_IN, two_tabs, True),
)
# Where a specification lets the client choose, either outcome is right.
LIES = (
    Case("No id token comes (Core 3.1.3.3)", REFUSED, told(Faults(token={"id_token": None}))),
    Case("`alg` is `none` (Core 3.1.3.7)", REFUSED, told(Faults(signed="none"))),
    Case(
        "`alg` is `none`, and the document lists it beside RS256",
        REFUSED,
        told_from_the_start(Faults(metadata=NONE_TOO, signed="none")),
    ),
    Case(
        "`alg` is HS256, its secret the public key, and the document lists it (RFC 8725, 2.1)",
        REFUSED,
        told_from_the_start(Faults(metadata=HS256_TOO, signed="public")),
    ),
    Case(
        "A stranger's key signed, under the same name (Core 3.1.3.7 (6): may)", EITHER, told(Faults(signed="stranger"))
    ),
    Case("`aud` is another client (Core 3.1.3.7 (3))", REFUSED, told(Faults(claims={"aud": "another"}))),
    Case("`iss` is another issuer (Core 3.1.3.7 (2))", REFUSED, told(Faults(claims={"iss": EVIL}))),
    Case(
        "The document's `issuer` is another one (Discovery 4.3)",
        REFUSED,
        told_from_the_start(Faults(metadata={"issuer": EVIL})),
    ),
    Case(
        "The document's `issuer` and the token's `iss` are another one (Discovery 4.3)",
        REFUSED,
        told_from_the_start(Faults(metadata={"issuer": EVIL}, claims={"iss": EVIL})),
    ),
    Case("`nonce` is of another login (Core 3.1.3.7 (11))", REFUSED, told(Faults(claims={"nonce": "another"})), True),
    Case("`nonce` is missing (Core 3.1.3.7 (11))", REFUSED, told(Faults(claims={"nonce": None}))),
    Case(
        "`exp` was an hour ago (Core 3.1.3.7 (9))",
        REFUSED,
        told(Faults(claims={"iat": NOW - 7200, "exp": NOW - 3600})),
    ),
    Case("`exp` is missing (Core 2)", REFUSED, told(Faults(claims={"exp": None}))),
    Case("`sub` is missing (Core 2)", REFUSED, told(Faults(claims={"sub": None}))),
    Case("`at_hash` is of another token (Core 3.1.3.8: may)", EITHER, told(Faults(claims={"at_hash": "A" * 22}))),
    Case("A browser that asked nothing brings the answer (RFC 6749, 10.12)", REFUSED, answered_twice, True),
    Case("The answer's `iss` is another issuer (RFC 9207, 2.4)", REFUSED, mixed_up),
)

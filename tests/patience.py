"""What tests do about machines that others keep busy: they wait for the thing itself, and measure again."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LONGEST_WAIT = 60  # seconds; a wait that is not needed costs nothing
ATTEMPTS = 8


def eventually(holds: Callable[[], object], what: str = "what the test waits for") -> None:
    """Wait until it holds, for what tells nobody that it has happened, such as a thread that we have no handle of.

    :param what: is waited for, in words.
    """
    ends = time.monotonic() + LONGEST_WAIT
    while not holds():
        assert time.monotonic() < ends, f"{what} did not come"
        time.sleep(0.005)


def takes_less_than(seconds: float, measure: Callable[[], float]) -> bool:
    """Whether it takes less than this at least once: what is too slow by itself is so each time, a busy machine is not.

    :param measure: does it, and returns the seconds that it took.
    """
    return any(measure() < seconds for _ in range(ATTEMPTS))


def background_work_ends(*names: str) -> None:
    """Wait until no thread of ours with one of these names is left, such as ``cobot-oidc-renewal``."""
    for thread in threading.enumerate():
        if thread.name in names:
            thread.join(LONGEST_WAIT)
            assert not thread.is_alive(), f"{thread.name} did not end"


class Held:
    """An answer of the stand-in that is given when the test says so: ``cobot.alter("token", held)``.

    :ivar came: is set as soon as somebody waits for it.
    :ivar may_go: set it, and everybody gets it.
    """

    def __init__(self) -> None:
        self.came, self.may_go = threading.Event(), threading.Event()

    def __call__(self, answer: T) -> T:
        self.came.set()
        self.may_go.wait(LONGEST_WAIT)
        return answer

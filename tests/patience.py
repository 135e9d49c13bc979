"""What tests do about machines that others keep busy: they wait for the thing itself, and measure again."""

import time
from collections.abc import Callable

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

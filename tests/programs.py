"""Programs that run beside a test until it is done with them."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(command: Sequence[str], until: str, *, folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """A program in a terminal of its own, where Ctrl-C is pressed at the end: what it says until it says this."""
    with subprocess.Popen(  # noqa: S603 - our own
        command,
        cwd=folder,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        try:
            while until not in said:
                line = process.stdout.readline()
                assert line, f"{command} ended with: {said}"
                said += line
            yield said
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.stdout.read()

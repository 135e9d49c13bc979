"""``python tools/install_packages.py REQUIREMENTS`` installs what a lock file lists, and says how far it is.

Runs in an environment that has nothing but pip. On a terminal there is one line that counts packages and seconds; in a
log there is one line at the end. What pip itself says is shown if it fails, and only then.
"""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

_LOCKED = re.compile(r"^[A-Za-z0-9][\w.-]*==", re.MULTILINE)
# pip says one of these for each line of the file
_DECIDED = re.compile(r"(?:Collecting|Processing|Requirement already satisfied:|Ignoring) (?:\S*/)?(\S+)")
_BEHIND_THE_NAME = re.compile(r"==|:|-\d")
_SHOWN_AT_MOST = 25  # lines of pip, if it fails


class Progress:
    """The line on a terminal; nothing anywhere else."""

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out
        self._total = total
        self._is_terminal = out.isatty()
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._doing = "asking for the packages"
        self._seen: set[str] = set()

    def read(self, line: str) -> None:
        """Learn from a line that pip prints how far it is."""
        if decided := _DECIDED.match(line):
            name = _BEHIND_THE_NAME.split(decided[1])[0]
            self._seen.add(name)
            self._doing = f"{min(len(self._seen), self._total)} of {self._total} packages found ({name})"
        elif line.startswith("Installing collected packages"):
            self._doing = f"unpacking {line.count(',') + 1} packages"
        self._draw()

    def tick(self) -> None:
        """Count the seconds until it is over: while it unpacks, pip says nothing."""
        while not self._is_over.wait(1):
            self._draw()

    def finish(self, sentence: str) -> None:
        """Put a last sentence in the line's place."""
        self._is_over.set()
        with self._lock:
            self._clear()
            self._out.write(f"{sentence} ({self.seconds} s)\n")
            self._out.flush()

    @property
    def seconds(self) -> int:
        return round(time.monotonic() - self._began)

    def _draw(self) -> None:
        with self._lock:
            if self._is_terminal and not self._is_over.is_set():
                self._clear()
                self._out.write(f"{self._doing}, {self.seconds} s"[:78])
                self._out.flush()

    def _clear(self) -> None:
        if self._is_terminal:
            self._out.write("\r\x1b[K")


def main(requirements: Path) -> int:
    """Install, and return pip's exit status."""
    total = len(_LOCKED.findall(requirements.read_text(encoding="utf-8")))
    pip = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check"]
    progress = Progress(sys.stderr, total)
    threading.Thread(target=progress.tick, daemon=True).start()
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 - pip itself
        [*pip, "install", "--progress-bar=off", "--require-hashes", "-r", str(requirements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        for line in process.stdout:
            said.append(line)
            progress.read(line)
    if process.returncode:
        progress.finish(f"pip could not install {requirements}:")
        sys.stderr.writelines(said[-_SHOWN_AT_MOST:])
    else:
        progress.finish(f"Installed the {total} packages of {requirements}.")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

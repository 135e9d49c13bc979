"""A folder in which somebody follows a page to the letter: files, commands, and programs that run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from .programs import running
from .samples import REPOSITORY, Sample
from .serving import free_port

_FILE = re.compile(r"`([\w/]*\.(?:py|html|css|env))`")
_COMMENT = re.compile(r"^#.*$", re.MULTILINE)
_BIN = Path(sys.executable).parent  # the environment that the page has people make


class Walkthrough:
    """One reader, their folder, and their terminals.

    :param folder: where they begin.
    :ivar said: what the last command printed that looked at what is there.
    """

    said = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._port = free_port()
        self._url = f"http://localhost:{self._port}"
        self._printed: dict[str, str] = {}
        self._flask_run: list[str] | None = None
        self._terminals = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._terminals.close()

    def follow(self, samples: Iterable[Sample], *, looks: bool = True) -> None:
        """Do what these blocks say, in their order.

        :param looks: whether to run the commands that only look at what is there, as well.
        """
        for sample in samples:
            if sample.language == "shell":
                for line in sample.code.splitlines():
                    self._command(shlex.split(line, comments=True), looks)
            elif sample.language == "dotenv":
                self._settings(sample)
            else:
                self.write(file_of(sample), sample.code)

    def open(self) -> str:
        """Where their app is, which runs from now on: on a free port, as others may have taken 5000.

        Flask's reloader would start it again after each change; here it starts once, at the end.
        """
        assert self._flask_run is not None, "the page does not say how to start the app"
        self._start(["-m", *self._flask_run, "--no-reload", "--port", str(self._port)], "Running on")
        return self._url

    def write(self, file: str, text: str) -> None:
        """Put a file into the folder, in place of the one before."""
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def settings_of_the_stand_in(self) -> None:
        """Put what the stand-in has printed into ``.env``."""
        assert self._printed, "the stand-in does not run"
        self.write(".env", "".join(f"{line}\n" for line in self._printed.values()))

    def run(self, *command: str) -> str:
        """What a command says that ends by itself, without a failure."""
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _command(self, words: list[str], looks: bool) -> None:
        match words:
            case ["mkdir", folder]:
                (self.folder / folder).mkdir()
            case ["cd", folder]:
                self.folder /= folder
            case ["python3", "-m", "venv", ".venv"] | [".", ".venv/bin/activate"]:
                pass  # the tests' own stands for it
            case ["pip", "install", *packages]:
                for package in packages:
                    assert version(package.partition("[")[0])
            case ["python", "-m", "cobot_oidc.standin"]:
                options = ["--port", "0", "--redirect-uri", f"{self._url}/cobot/callback"]
                said = self._start([*words[1:], *options], "Ctrl-C")
                lines = [line for line in said.splitlines() if line.startswith("FLASK_")]
                self._printed = {line.partition("=")[0]: line for line in lines}
            case ["flask", "run"] | ["flask", "run", "--debug"]:
                self._flask_run = words
            case ["flask", "cobot", "check"] | ["pytest"]:
                if looks:
                    self.said = self.run(*words)
            case _:
                raise AssertionError(f"add a way to run {shlex.join(words)}")

    def _settings(self, sample: Sample) -> None:
        """Lines of ``.env`` as the page shows them; what the stand-in has printed has its own ports and key."""
        assert file_of(sample) == ".env"
        shown = {line.partition("=")[0]: line for line in sample.code.splitlines()}
        if (self.folder / ".env").exists():
            assert set(shown) <= set(self._printed)
            self._printed |= shown
        else:
            assert list(shown) == list(self._printed), "the stand-in prints other lines"
        self.settings_of_the_stand_in()

    def _start(self, arguments: list[str], last: str) -> str:
        return self._terminals.enter_context(
            running([sys.executable, *arguments], last, folder=self.folder, environment=_environment())
        )


def file_of(sample: Sample) -> str:
    """The file that a block is to be put into: the last one that the paragraph before it names."""
    before = sample.page.read_text(encoding="utf-8").splitlines()[: sample.line - 2]
    paragraph = " ".join(before).rstrip() if before[-1] else "\n".join(before).rstrip().rpartition("\n\n")[2]
    named = _FILE.findall(paragraph)
    assert named, f"{sample.place}: no file is named before line {sample.line}"
    return str(named[-1])


def _environment() -> dict[str, str]:
    """As in a new terminal: without this app's settings, or pytest's."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("FLASK_", "COBOT_OIDC_", "PYTEST_"))
    }
    return kept | {"PATH": f"{_BIN}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": str(REPOSITORY)}

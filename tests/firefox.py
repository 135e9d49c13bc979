"""Firefox as it is installed, driven through Marionette, the protocol that Mozilla builds into it.

Playwright drives only Firefox builds of its own, which no package brings, and Mozilla's client for Python needs modules
that Python 3.13 no longer has. What our tests need of the protocol fits here: messages are ``<length>:<JSON>``.
"""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST_START, LONGEST_WAIT = 60, 40  # seconds: CI machines may be busy
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver section 12.2
PREFERENCES = {
    "marionette.port": 0,  # a free one, which Firefox then tells
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class FirefoxError(Exception):
    """A command that failed."""

    @property
    def code(self) -> str:
        """WebDriver's name for the error."""
        return str(self.args[2])


class Firefox:
    """A headless Firefox with a profile of its own, in which nothing about cookies differs from what people have."""

    def __init__(self, path: str, profile: Path) -> None:
        settings = "".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()
        )
        (profile / "user.js").write_text(settings, encoding="utf-8")
        self._process = subprocess.Popen(  # noqa: S603 - the one that make found
            [
                path,
                "--headless",
                "--marionette",
                "--remote-allow-system-access",
                "--no-remote",
                "--profile",
                str(profile),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._socket = socket.create_connection(("127.0.0.1", self._port(profile)), timeout=LONGEST_START)
            self._answers = self._socket.makefile("rb")
            self._read()  # how it introduces itself
            self.do("WebDriver:NewSession")
        except BaseException:
            self._process.kill()
            raise

    def close(self) -> None:
        """End it."""
        self.do("Marionette:Quit", flags=["eForceQuit"])
        self._answers.close()
        self._socket.close()
        self._process.wait(LONGEST_WAIT)

    def do(self, command: str, **parameters: Any) -> Any:
        """One command and what it returns.

        :raises FirefoxError: what Firefox says.
        """
        message = json.dumps([0, 1, command, parameters])
        self._socket.sendall(f"{len(message)}:{message}".encode())
        _, _, error, result = self._read()
        if error is not None:
            raise FirefoxError(command, parameters, error["error"], error["message"])
        return result["value"] if isinstance(result, dict) and result.keys() == {"value"} else result

    def until(self, ask: Callable[[], T], what: str) -> T:
        """The first answer that is true.

        :param what: is waited for, in words.
        :raises AssertionError: after a while, with what is in all windows.
        """
        end = time.monotonic() + LONGEST_WAIT
        while not (answer := ask()):
            assert time.monotonic() < end, f"{what} did not come: {self._shown()}"
            time.sleep(0.02)
        return answer

    def open(self, url: str) -> None:
        self.do("WebDriver:Navigate", url=url)

    def url(self) -> str:
        return str(self.do("WebDriver:GetCurrentURL"))

    def find(self, xpath: str) -> str:
        """An element, as soon as it is there: Firefox's own waiting ends with the page that it began on."""
        found = self.until(lambda: self.do("WebDriver:FindElements", using="xpath", value=xpath), xpath)
        return str(found[0][ELEMENT])

    def click(self, xpath: str) -> None:
        self._with(xpath, "WebDriver:ElementClick")

    def text(self, xpath: str) -> str:
        return str(self._with(xpath, "WebDriver:GetElementText"))

    def press(self, key: str) -> None:
        """A key of the keyboard, wherever the focus is."""
        strokes = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.do("WebDriver:PerformActions", actions=[{"type": "key", "id": "keyboard", "actions": strokes}])

    @contextmanager
    def in_frame(self, number: int = 1) -> Iterator[None]:
        """In the page's frame, until the end of the block.

        :param number: which one, the first is 1.
        """
        self.do("WebDriver:SwitchToFrame", element={ELEMENT: self.find(f"(//iframe)[{number}]")})
        yield
        self.do("WebDriver:SwitchToFrame", id=None)

    def run(self, script: str) -> Any:
        """What a script returns on the page, or on the page in the frame."""
        return self.do("WebDriver:ExecuteScript", script=script, args=[])

    def is_loaded(self) -> bool:
        """Whether the page, or the page in the frame, is complete with its scripts."""
        return bool(self.run("return document.readyState") == "complete")

    def windows(self) -> list[str]:
        return list(self.do("WebDriver:GetWindowHandles"))

    def window(self) -> str:
        return str(self.do("WebDriver:GetWindowHandle"))

    def go_to(self, window: str) -> None:
        self.do("WebDriver:SwitchToWindow", handle=window)

    def close_window(self) -> None:
        self.do("WebDriver:CloseWindow")

    def as_browser(self, script: str) -> Any:
        """What a script returns that may do what the browser itself may."""
        self.do("Marionette:SetContext", value="chrome")
        try:
            return self.do("WebDriver:ExecuteScript", script=script, args=[])
        finally:
            self.do("Marionette:SetContext", value="content")

    @contextmanager
    def preferring(self, **preferences: bool | int | str) -> Iterator[None]:
        """Other preferences than people have, until the end of the block; ``__`` in a name stands for a dot."""
        kinds = {bool: "Bool", int: "Int", str: "String"}
        names = {name.replace("__", "."): value for name, value in preferences.items()}
        for name, value in names.items():
            self.as_browser(f"Services.prefs.set{kinds[type(value)]}Pref({json.dumps(name)}, {json.dumps(value)})")
        try:
            yield
        finally:
            for name in names:
                self.as_browser(f"Services.prefs.clearUserPref({json.dumps(name)})")

    def _shown(self) -> dict[str, str]:
        """The address and the text of each window."""
        shown = {}
        for window in self.windows():
            self.go_to(window)
            shown[self.url()] = str(self.run("return document.body.innerText"))
        return shown

    def _with(self, xpath: str, command: str) -> Any:
        try:
            return self.do(command, id=self.find(xpath))
        except FirefoxError as error:
            if error.code not in ("stale element reference", "no such element"):
                raise
        return self.do(command, id=self.find(xpath))  # a new page came in between

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            character = self._answers.read(1)
            assert character, "Firefox has ended"
            length += character
        return json.loads(self._answers.read(int(length[:-1])))

    def _port(self, profile: Path) -> int:
        end = time.monotonic() + LONGEST_START
        told = profile / "MarionetteActivePort"
        while time.monotonic() < end and self._process.poll() is None:
            if told.exists() and (text := told.read_text()):
                return int(text)
            time.sleep(0.05)
        raise AssertionError("Firefox did not start")

"""What every check came to, as one table: a line for each check, a column for each provider."""

import re
from pathlib import Path

import pytest

from .environments import ENVIRONMENTS
from .providers import PROVIDERS

BLOCK = re.compile(r"(?<=<!-- table interop: written by make interop -->\n).*?(?=<!-- end of table -->)", re.DOTALL)
KIND = re.compile(r"^(not offered|not here|refused): ")
SENTENCE = re.compile(r"test_(?P<check>\w+)\[(?P<parameters>.*)\]$")


class Table:
    """Listens to pytest, prints the table at the end, and brings the page up to date, if there is one."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._cells: dict[str, dict[str, str]] = {}
        self._reasons: dict[tuple[str, str], list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one check: the call says what it came to, unless the phase before or after it fails."""
        place = SENTENCE.search(report.nodeid)
        if place is None or (report.when != "call" and report.passed):
            return
        name = next(name for name in PROVIDERS if place["parameters"].startswith(name))
        check = sentence(place["check"], place["parameters"].removeprefix(name).strip("-"))
        outcome, reason = _outcome(report)
        self._cells.setdefault(check, {})[name] = outcome
        if reason:
            self._reasons.setdefault((name, reason), []).append(check)

    @property
    def text(self) -> str:
        """The table as Markdown, and below it why something is not ``ok``."""
        names = [name for name in PROVIDERS if any(name in row for row in self._cells.values())]
        rows = [["", *(f"{name} {_version(name)}".strip() for name in names)]]
        rows += [[check, *(row.get(name, "") for name in names)] for check, row in self._cells.items()]
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|---" * len(rows[0]) + "|")
        reasons = [
            f"- {name}, {reason}: {'; '.join(checks)}" for (name, reason), checks in sorted(self._reasons.items())
        ]
        return "\n".join([*lines, "", *reasons]) + "\n"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print it."""
        if not self._cells:
            return
        terminalreporter.section("providers")
        terminalreporter.write_line(self.text)
        if self._page:
            page = Path(self._page)
            page.write_text(BLOCK.sub(lambda _: self.text, page.read_text(encoding="utf-8")), encoding="utf-8")


def sentence(check: str, parameter: str = "") -> str:
    """A line's title: a test's name without its prefix, and its parameter."""
    words = check.removeprefix("test_").replace("_", " ")
    return f"{words[0].upper()}{words[1:]}" + (f" `{parameter}`" if parameter else "")


def _outcome(report: pytest.TestReport) -> tuple[str, str]:
    """A cell, and its reason if it needs one."""
    if report.passed:
        return "ok", ""
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        kind = KIND.match(reason)
        return (kind[1] if kind else "left out"), reason
    message = getattr(getattr(report.longrepr, "reprcrash", None), "message", "") or str(report.longrepr)
    return "failed", f"failed: {message.splitlines()[0]}"


def _version(name: str) -> str:
    folder = ENVIRONMENTS / name
    return PROVIDERS[name].version(folder) if (folder / "installed").exists() else ""

"""What every check came to, as one table: a line for each check, a column for each provider."""

import re
from pathlib import Path

import pytest

from .environments import ENVIRONMENTS
from .providers import PROVIDERS

BLOCK = re.compile(r"(?<=<!-- table interop: written by make interop -->\n).*?(?=<!-- end of table -->)", re.DOTALL)
REASON = re.compile(r"^(not offered|not here|its fault): ")
SENTENCE = re.compile(r"test_(?P<check>\w+)\[(?P<parameters>.*)\]$")


class Table:
    """Listens to pytest, prints the table at the end, and brings the page up to date, if there is one."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._cells: dict[str, dict[str, str]] = {}
        self._notes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one check: the last that is not a success says what it came to."""
        place = SENTENCE.search(report.nodeid)
        if place is None or (report.when != "call" and report.passed):
            return
        name = next(part for part in PROVIDERS if place["parameters"].startswith(part))
        parameter = place["parameters"].removeprefix(name).strip("-")
        check = " ".join([place["check"].replace("_", " "), *([f"`{parameter}`"] if parameter else [])])
        self._cells.setdefault(check, {}).setdefault(name, self._outcome(report, f"{name}, {check}"))

    def _outcome(self, report: pytest.TestReport, where: str) -> str:
        if report.passed:
            return "ok"
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            kind = REASON.match(reason)
            self._notes.append(f"{where}: {reason}")
            return kind[1] if kind else "left out"
        message = getattr(getattr(report.longrepr, "reprcrash", None), "message", str(report.longrepr))
        self._notes.append(f"{where}: failed, {message.splitlines()[0]}")
        return "failed"

    @property
    def text(self) -> str:
        """The table as Markdown, and below it why something is not ``ok``."""
        names = [name for name in PROVIDERS if any(name in row for row in self._cells.values())]
        rows = [["", *(f"{name} {self._version(name)}".strip() for name in names)]]
        rows += [[check, *(row.get(name, "") for name in names)] for check, row in self._cells.items()]
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|---" * len(rows[0]) + "|")
        return "\n".join([*lines, "", *(f"- {note}" for note in self._notes)]) + "\n"

    def _version(self, name: str) -> str:
        folder = ENVIRONMENTS / name
        return PROVIDERS[name].version(folder) if (folder / "installed").exists() else ""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print it."""
        if not self._cells:
            return
        terminalreporter.section("providers")
        terminalreporter.write_line(self.text)
        if self._page:
            page = Path(self._page)
            page.write_text(BLOCK.sub(lambda _: self.text, page.read_text(encoding="utf-8")), encoding="utf-8")

"""How findings look: a line each, in colour on a terminal, or one document of JSON."""

import json
import os
from collections.abc import Sequence
from typing import Any

import click

from .findings import Finding, Level, worst

_COLOURS: dict[Level, str] = {"ok": "green", "warning": "yellow", "problem": "red"}


def say(text: str, *, err: bool = False) -> None:
    """Print a line; colours only on a terminal whose user has not turned them off (no-color.org)."""
    click.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)


def mark(level: Level, word: str = "") -> str:
    """The first word of a line."""
    return click.style(f"{word or level:<8}", fg=_COLOURS[level], bold=level == "problem" or None)


def print_findings(findings: Sequence[Finding]) -> None:
    """Each finding, what to do below it, and at the end how many there are of each."""
    for finding in findings:
        say(f"{mark(finding.level)} {click.style(finding.subject, bold=True)}: {finding.found}")
        if finding.remedy and finding.level != "ok":
            say(f"         -> {finding.remedy}")
    problems, warnings = (sum(each.level == level for each in findings) for level in ("problem", "warning"))
    summary = f"{_count(problems, 'problem')}, {_count(warnings, 'warning')}.".capitalize()
    say(click.style(summary, fg=_COLOURS[worst(findings)]))


def print_json(document: Any) -> None:
    """One document; everything beyond ASCII is escaped."""
    click.echo(json.dumps(document, indent=2))


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"

"""What a check found: how bad it is, in words, and what to do about it. Nothing here prints, asks, or knows Flask.

A finding never contains a secret. What comes from a provider has been escaped by the error that carries it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..errors import CobotOIDCError, ConfigurationError

Level = Literal["ok", "warning", "problem"]

_ORDER: tuple[Level, ...] = ("ok", "warning", "problem")
_NOT_SEEN = ("setting", "remedy")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    :ivar level: ``problem`` if logins fail or are not safe because of it.
    :ivar subject: what it is about: a setting, or a part such as ``clock``.
    :ivar code: stable and for machines.
    :ivar found: a sentence.
    :ivar remedy: what to do; empty if there is nothing to do.
    """

    level: Level
    subject: str
    code: str
    found: str
    remedy: str = ""

    def members(self) -> dict[str, Any]:
        """The finding as JSON has it."""
        return asdict(self)


def ok(subject: str, code: str, found: str) -> Finding:
    return Finding("ok", subject, code, found)


def warning(subject: str, code: str, found: str, remedy: str) -> Finding:
    return Finding("warning", subject, code, found, remedy)


def problem(subject: str, code: str, found: str, remedy: str) -> Finding:
    return Finding("problem", subject, code, found, remedy)


def of_error(subject: str, error: CobotOIDCError, remedy: str | None = None) -> Finding:
    """An error as a finding: the first half of its hint says what happened, the second what to do.

    :param remedy: a better one than the hint's.
    """
    cause, _, usual = error.hint.partition("; ")
    seen = ", ".join(f"{name} {value}" for name, value in error.details.items() if name not in _NOT_SEEN)
    found = cause.rstrip(".") + (f" ({seen})." if seen else ".")
    return problem(
        subject, error.code, found, remedy or _sentence(_unquoted(str(error.details.get("remedy") or usual)))
    )


def of_configuration(error: ConfigurationError) -> list[Finding]:
    """Every problem of the app's settings, each under the name of its setting."""
    return [of_error(str(each.details.get("setting", "app")), each) for each in error.problems]


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level of these; ``ok`` if there are none."""
    return max((finding.level for finding in findings), key=_ORDER.index, default="ok")


def _unquoted(text: str) -> str:
    """A detail without the quotes that ``ascii`` put around it; what it escaped stays escaped."""
    return text[1:].removesuffix(text[0]) if text[:1] in ("'", '"') else text


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "?")) else f"{text}."

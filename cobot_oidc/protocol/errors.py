"""Every error of cobot_oidc that a rule of the protocol can raise, and their common base.

This module knows nothing of Flask or of the network. An error carries what a person, an operator and a program may each
safely read; the sentences and hints themselves are in ``catalogue``, next to their codes.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Self

from .catalogue import CATALOGUE

RECOGNIZABLE = 8  # characters of a secret
LONGEST_DETAIL = 200  # characters of a value from outside that are logged

_OUR_WORDS = frozenset(("setting", "expected", "reason"))


class CobotOIDCError(Exception):
    """Base of every error that this package raises on purpose.

    :ivar code: stable and for machines, such as ``issuer_mismatch``; one of ``CATALOGUE``.
    :ivar status: the HTTP status of a page about this error.
    :ivar sentence: what happened and what to do next, for the person in front of the browser; contains
        nothing from outside.
    :ivar hint: what happened and what to do next, for the operator.
    :ivar details: what was expected and what came. ``setting``, ``expected`` and ``reason`` are our own words;
        every other value may come from outside, and is a number or its ``ascii`` of at most 200 characters. A detail is
        never a secret: the code that raises the error passes only values that may be logged.
    :ivar correlation_id: the same on the page and in the log record of a failed login, otherwise ``None``.
    """

    default_status: ClassVar[int] = 500

    def __init__(self, code: str, **details: object) -> None:
        entry = CATALOGUE[code]
        self.code = code
        self.status = entry.status or self.default_status
        self.sentence = entry.sentence
        self.hint = entry.hint
        self.details = {name: _detail(name, value) for name, value in details.items()}
        self.correlation_id: str | None = None
        super().__init__(code)

    def __str__(self) -> str:
        seen = ", ".join(f"{name} {value}" for name, value in self.details.items())
        return f"{self.code}: {self.hint}" + (f" ({seen})" if seen else "")

    def note(self, **details: object) -> None:
        """Add to ``details``; the values may come from outside."""
        self.details |= {name: _detail(name, value) for name, value in details.items()}

    def conceal(self, secrets: Iterable[str]) -> None:
        """Leave out the details that repeat a secret, as a provider may that was sent it (L01, L02).

        :param secrets: as they were sent; the beginning of one is enough to leave a detail out.
        """
        beginnings = [secret[:RECOGNIZABLE] for secret in secrets if len(secret) >= RECOGNIZABLE]
        for name, value in self.details.items():
            if isinstance(value, str) and any(beginning in value for beginning in beginnings):
                self.details[name] = "not shown, as it repeats a secret"

    def copy(self) -> Self:
        """A copy of this error without its traceback, for another thread or to be kept."""
        error = type(self)(self.code)
        error.details = dict(self.details)
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return (_restored, (type(self), self.code, self.details))


class ConfigurationError(CobotOIDCError):
    """A setting of the app is wrong; raised by ``init_app``, or later if only a request or the network can tell.

    ``init_app`` reports all problems in one error: if there are several, its code is ``settings_invalid``.
    """

    default_status = 500
    _several: tuple["ConfigurationError", ...] = ()

    @staticmethod
    def together(problems: Sequence["ConfigurationError"]) -> "ConfigurationError":
        """One error about all of these problems; a single problem is returned as it is."""
        if len(problems) == 1:
            return problems[0]
        error = ConfigurationError("settings_invalid", problems=len(problems))
        error._several = tuple(problems)
        return error

    @property
    def problems(self) -> tuple["ConfigurationError", ...]:
        """The problems that were found together; otherwise only this error."""
        return self._several or (self,)

    def __str__(self) -> str:
        return "\n- ".join([super().__str__(), *map(str, self._several)])

    def copy(self) -> Self:
        error = super().copy()
        error._several = self._several
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return (ConfigurationError.together, (self._several,)) if self._several else super().__reduce__()


class ProviderError(CobotOIDCError):
    """The provider cannot be reached, or its answer violates the specifications."""

    default_status = 502


class TokenError(CobotOIDCError):
    """A token could not be verified: it, its key or one of its claims is not valid."""

    default_status = 502


class LoginError(CobotOIDCError):
    """This login cannot continue: it was cancelled, has expired, is not ours, or is malformed."""

    default_status = 400


def _detail(name: str, value: object) -> str | int | float:
    if name in _OUR_WORDS and isinstance(value, str) and value.isprintable():
        return value
    return _loggable(value)


def _loggable(value: object) -> str | int | float:
    """Make a value safe to log: it cannot forge log lines or fill a disk (L03)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    try:
        text = ascii(value[: LONGEST_DETAIL + 1] if isinstance(value, (str, bytes, list, tuple)) else value)
    except (RecursionError, ValueError):  # it is deeply nested, or an int beyond Python's digit limit
        text = f"<{type(value).__name__}>"
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"


def _restored(kind: type[CobotOIDCError], code: str, details: dict[str, str | int | float]) -> CobotOIDCError:
    error = kind(code)
    error.details = dict(details)
    return error

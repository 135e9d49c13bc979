"""How the stand-in is made to give false answers, to fail and to be slow: rules that change its answers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Part = Literal[
    "metadata", "key_set", "token", "userinfo", "registration", "id_token_header", "id_token_claims", "id_token"
]
Page = Literal["metadata", "key_set", "token", "userinfo", "registration"]
Change = Mapping[str, Any] | Callable[[Any], Any]


class _Removed:
    def __repr__(self) -> str:
        return "REMOVED"


REMOVED: Any = _Removed()  # as a value in a change: leave the member out


@dataclass(slots=True)
class _Rule:
    part: str
    issuer: str | None
    left: int | None
    change: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What replaces an HTTP answer; ``None`` keeps what it is. ``delay`` is in seconds."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0


class Alterations:
    """The active rules, in the order in which they were added. This class is thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def alter(self, part: Part, change: Change, *, issuer: str | None = None, times: int | None = None) -> None:
        """Change one part of the answers.

        :param part: a document, or a part of the id token before it is signed; ``id_token`` is the signed token as
            text.
        :param change: members to set (``REMOVED`` leaves one out), or a function from the value to another.
        :param issuer: only at this issuer. :param times: how often; ``None`` means until ``clear``.
        """
        function = change if callable(change) else _setting(change)
        self._add(_Rule(part, issuer, times, function))

    def reply(self, page: Page, reply: Reply, *, issuer: str | None = None, times: int | None = None) -> None:
        """Replace the status, headers or body of an answer, or delay it; see ``alter``."""
        self._add(_Rule(f"reply:{page}", issuer, times, lambda _: reply))

    def apply(self, part: str, issuer: str, value: Any) -> Any:
        """The altered value."""
        for rule in self._due(part, issuer):
            value = rule.change(value)
        return value

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules.clear()

    def _add(self, rule: _Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def _due(self, part: str, issuer: str) -> list[_Rule]:
        with self._lock:
            due = [rule for rule in self._rules if rule.part == part and rule.issuer in (None, issuer)]
            for rule in due:
                if rule.left is not None:
                    rule.left -= 1
            self._rules = [rule for rule in self._rules if rule.left is None or rule.left > 0]
            return due


def _setting(members: Mapping[str, Any]) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        return {name: member for name, member in {**value, **members}.items() if member is not REMOVED}

    return change

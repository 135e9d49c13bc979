"""How the stand-in is made to give false answers, to fail and to be slow: rules that change its answers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Part = Literal[
    "metadata",
    "key_set",
    "token",
    "userinfo",
    "userinfo_header",
    "userinfo_jwt",
    "registration",
    "pushed_request",
    "revocation",
    "api",
    "id_token_header",
    "id_token_claims",
    "id_token",
    "logout_token_header",
    "logout_token_claims",
    "logout_token",
]
Page = Literal["metadata", "key_set", "token", "userinfo", "registration", "pushed_request", "revocation", "api"]
Change = Mapping[str, Any] | Callable[[Any], Any]


class _Removed:
    def __repr__(self) -> str:
        return "REMOVED"


REMOVED: Any = _Removed()  # as a value in a change: leave the member out


@dataclass(slots=True)
class _Rule:
    part: str
    issuer: str | None
    path: str
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

    def alter(
        self, part: Part, change: Change, *, issuer: str | None = None, path: str = "", times: int | None = None
    ) -> None:
        """Change one part of the answers.

        :param part: a document, or a part of the id token before it is signed; ``id_token`` is the signed token as
            text, ``userinfo_jwt`` the signed userinfo, and so for logout tokens; ``api`` is every JSON document of both
            generations of the API, errors included.
        :param change: members to set (``REMOVED`` leaves one out; of a list, in each member), or a function from the
            value to another.
        :param issuer: only at this issuer, or at the API's own host.
        :param path: only at paths of the API that begin so.
        :param times: how often; ``None`` means until ``clear``.
        """
        function = change if callable(change) else _setting(change)
        self._add(_Rule(part, issuer, path, times, function))

    def reply(
        self, page: Page, reply: Reply, *, issuer: str | None = None, path: str = "", times: int | None = None
    ) -> None:
        """Replace the status, headers or body of an answer, or delay it; see ``alter``."""
        self._add(_Rule(f"reply:{page}", issuer, path, times, lambda _: reply))

    def apply(self, part: str, issuer: str, value: Any, path: str = "") -> Any:
        """The altered value."""
        for rule in self._due(part, issuer, path):
            value = rule.change(value)
        return value

    def concern(self, part: str) -> bool:
        """Whether there is any rule about a part."""
        return any(rule.part == part for rule in list(self._rules))

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules.clear()

    def _add(self, rule: _Rule) -> None:
        if rule.path and rule.part not in ("api", "reply:api"):
            raise ValueError(f"path= only restricts what is changed of the API, not {rule.part!r}")
        with self._lock:
            self._rules.append(rule)

    def _due(self, part: str, issuer: str, path: str) -> list[_Rule]:
        with self._lock:
            due = [
                rule
                for rule in self._rules
                if rule.part == part and rule.issuer in (None, issuer) and path.startswith(rule.path)
            ]
            for rule in due:
                if rule.left is not None:
                    rule.left -= 1
            self._rules = [rule for rule in self._rules if rule.left is None or rule.left > 0]
            return due


def _setting(members: Mapping[str, Any]) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        if isinstance(value, list):
            return [change(member) for member in value]
        return {name: member for name, member in {**value, **members}.items() if member is not REMOVED}

    return change

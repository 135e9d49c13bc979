"""Redis: what a short conversation with it tells. Its URL, which may contain a password, is never shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..findings import Finding, ok, problem, warning

SUBJECT = "COBOT_OIDC_REDIS_URL"
LONGEST_WAIT = 0.25  # seconds for which logins wait for Redis

Trouble = Literal["unreachable", "slow", "login", "permission", "read_only", "full", "other"]

_TROUBLES: dict[Trouble, tuple[str, str]] = {
    "unreachable": (
        "Redis cannot be reached: the connection was refused or broke, or its host name does not resolve.",
        "Check that Redis runs, and its host, port and scheme (rediss:// for TLS) in COBOT_OIDC_REDIS_URL.",
    ),
    "slow": (
        f"Redis did not answer within {LONGEST_WAIT} seconds, so every login takes it to be down.",
        "Use a Redis near the app; if it is near, check its load, and whether a firewall drops the connection.",
    ),
    "login": (
        "Redis refuses the user or the password of COBOT_OIDC_REDIS_URL.",
        "Correct them; characters such as @ / : # in a password have to be percent-encoded in a URL.",
    ),
    "permission": (
        "Redis does not permit this user to read and write the keys that begin with cobot_oidc:.",
        "Grant the user the keys ~cobot_oidc:* for reading, writing, transactions and scripts.",
    ),
    "read_only": ("This Redis is a replica that cannot be written to.", "Name the primary in COBOT_OIDC_REDIS_URL."),
    "full": ("Redis is full: it refuses to write (OOM).", "Raise maxmemory, or give the app a Redis of its own."),
    "other": ("Redis answered with an error.", "Look at the log of Redis."),
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came of asking.

    :ivar trouble: what went wrong; ``None`` if values can be written and read.
    :ivar seconds: how long the slowest answer took.
    :ivar policy: what Redis drops when it is full; ``None`` if it does not say.
    """

    trouble: Trouble | None
    seconds: float = 0
    policy: str | None = None


def store_findings(conversation: Conversation | None, *, keeps_tokens: bool) -> Iterator[Finding]:
    """:param conversation: ``None`` if there is no Redis."""
    if conversation is None:
        yield ok(SUBJECT, "redis_unset", "There is no Redis: each process keeps its own documents, keys and budgets.")
        return
    if conversation.trouble is not None:
        found, remedy = _TROUBLES[conversation.trouble]
        yield problem(SUBJECT, f"redis_{conversation.trouble}", found, remedy)
        return
    yield ok(
        SUBJECT,
        "redis",
        f"Redis answers within {max(1, round(conversation.seconds * 1000))} ms, and can be written to.",
    )
    policy = conversation.policy
    if policy is not None and policy != "noeviction":
        tokens = "tokens are kept there" if keeps_tokens else "tokens for background work may be kept there"
        if keeps_tokens or policy.startswith("allkeys"):
            yield warning(
                SUBJECT,
                "redis_evicts",
                f"When Redis is full, it drops values ({policy!a}), and {tokens}: people would have to log in "
                "again for the API, and background work would stop.",
                "Give the app a Redis of its own with maxmemory-policy noeviction.",
            )

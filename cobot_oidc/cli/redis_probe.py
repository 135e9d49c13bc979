"""A short conversation with the app's Redis, each answer within the time for which a login would wait."""

import secrets
import time
from typing import Any

from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..provider.deadline import run_beside
from .checks.store import LONGEST_WAIT, Conversation, Trouble

_KEPT_FOR = 1000  # milliseconds


def probe(url: str) -> Conversation:
    """Write a value, read it and delete it. Nothing else is read or changed."""
    redis = Redis.from_url(url, socket_timeout=LONGEST_WAIT, socket_connect_timeout=LONGEST_WAIT)
    try:
        slowest = 0.0
        key, value = f"cobot_oidc:check:{secrets.token_hex(8)}", secrets.token_hex(8)
        for command in (redis.ping, lambda: redis.set(key, value, px=_KEPT_FOR), lambda: redis.getrange(key, 0, 20)):
            began = time.monotonic()
            # Resolving a name observes no deadline, so the commands run in a thread.
            answer: Any = run_beside(command, seconds=LONGEST_WAIT, discard=lambda _: None)
            slowest = max(slowest, time.monotonic() - began)
        if answer != value.encode():
            return Conversation("other")
        run_beside(lambda: redis.delete(key), seconds=LONGEST_WAIT, discard=lambda _: None)
        return Conversation(None, slowest, _policy(redis))
    except (RedisError, OSError) as error:
        return Conversation(_trouble(error))


def _policy(redis: Any) -> str | None:
    try:
        memory = run_beside(lambda: redis.info("memory"), seconds=LONGEST_WAIT, discard=lambda _: None)
    except (RedisError, OSError):  # a user of an ACL, or of a managed Redis, may not ask
        return None
    policy = memory.get("maxmemory_policy")
    return policy if isinstance(policy, str) else None


def _trouble(error: Exception) -> Trouble:
    """The kind of an error, without its words, which may repeat what was sent."""
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Trouble], ...] = (
        (NoPermissionError, "permission"),
        ((AuthenticationError, AuthorizationError), "login"),
        (ReadOnlyError, "read_only"),
        (OutOfMemoryError, "full"),
        ((RedisTimeoutError, TimeoutError), "slow"),
        ((RedisConnectionError, OSError), "unreachable"),
    )
    if isinstance(error, ResponseError) and str(error).startswith(("WRONGPASS", "invalid username-password")):
        return "login"
    return next((trouble for kind, trouble in kinds if isinstance(error, kind)), "other")

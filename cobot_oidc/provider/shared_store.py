"""What the workers and machines of one app share, through Redis: documents, budgets, turns and used states.

Redis only makes logins cheaper, and no login needs it: while it is down or slow, every question gets the answer that a
process on its own would give, and nobody waits for it twice. Values are JSON with a MAC under the app's secret key, so
somebody who can write to Redis but does not know the key cannot slip in a signing key.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import LockError, RedisError
from redis.retry import Retry

from ..protocol.strict_json import LARGEST, JSONError, loads
from .deadline import run_beside, seconds_left
from .freshness import Allowance, Bucket

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter

LONGEST_WAIT = 0.25  # seconds for one answer of Redis
AWAY_FOR = 5  # seconds for which Redis is not asked again after a failure
TURN_POLLED_EVERY = 0.05  # seconds
MOST_NOTES, NOTES_AT_ONCE = 200_000, 5_000
LARGEST_VALUE = LARGEST  # bytes: a document of 64 kB, escaped, and what is around it

A = TypeVar("A")


class SharedStore:
    """Values in Redis. This class is safe between threads and across forks, and never raises an error because of Redis.

    :param url: the URL of Redis, in redis-py's syntax.
    :param secret: the app's secret key. Apps with different keys do not see each other's values.
    :param clock: seconds since the epoch.
    :param tell: is called with ``store_unavailable`` once for each outage, and with ``store_available`` at its end.
    """

    def __init__(self, url: str, secret: bytes, *, clock: Callable[[], float], tell: Callable[[str], None]) -> None:
        self._key = hmac.digest(secret, b"cobot_oidc shared store", "sha256")
        self._prefix = f"cobot_oidc:{hashlib.sha256(self._key).hexdigest()[:12]}:"
        self._clock = clock
        self._tell = tell
        self._lock = threading.Lock()
        self._away_since: float | None = None
        self._url = url
        self._redis = Redis.from_url(
            url,
            socket_timeout=LONGEST_WAIT,
            socket_connect_timeout=LONGEST_WAIT,
            # A connection that went stale while Redis restarted is reopened; a slow Redis is not asked twice.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            retry_on_error=[RedisConnectionError],
        )

    def get(self, name: str) -> Mapping[str, object] | None:
        """The value with this name; ``None`` if there is none, it is not ours, or Redis is unavailable."""
        return self._opened(name, self._ask(lambda: self._read(self._redis, self._prefix + name), None))

    @property
    def is_away(self) -> bool:
        """Whether Redis did not answer when it was last asked."""
        return self._away_since is not None

    def put(
        self, name: str, value: Mapping[str, object], *, seconds: float | None, only_in_place: bool = False
    ) -> bool:
        """Keep a value for so many seconds, or until it is deleted.

        :param only_in_place: only if there is a value with this name, which this one replaces.
        :returns: whether Redis has it now.
        """
        key, signed = self._prefix + name, self._signed(name, value)
        lifetime = None if seconds is None else int(seconds * 1000)
        return self._ask(lambda: bool(self._redis.set(key, signed, px=lifetime, xx=only_in_place)), False)

    def delete(self, name: str) -> None:
        """Forget the value with this name."""
        self._ask(lambda: self._redis.delete(self._prefix + name), None)

    def take_out(self, name: str) -> Mapping[str, object] | None:
        """The same as ``get``, and the value is deleted in the same step: nobody replaces it in between."""
        key = self._prefix + name

        def read() -> object:
            pipeline = self._redis.pipeline()
            self._read(pipeline, key)
            pipeline.delete(key)
            return pipeline.execute()[0] or None

        return self._opened(name, self._ask(read, None))

    def claim(self, name: str, *, seconds: float) -> bool:
        """Whether nobody has claimed this name for so many seconds. True while Redis is unavailable."""
        key, lifetime = self._prefix + name, int(seconds * 1000)
        return self._ask(lambda: bool(self._redis.set(key, "1", nx=True, px=lifetime)), True)

    def take(self, name: str, allowance: Allowance) -> bool:
        """Take a token from the shared budget with this name, if there is one. True while Redis is unavailable."""
        return self._spend(name, allowance, lambda bucket: bucket.take(self._clock(), allowance))

    def give_back(self, name: str, allowance: Allowance) -> None:
        """Put back the token that was last taken from the budget with this name."""
        self._spend(name, allowance, lambda bucket: bucket.give_back(allowance))

    def _spend(self, name: str, allowance: Allowance, change: Callable[[Bucket], Bucket | None]) -> bool:
        key, lifetime = self._prefix + name, int(allowance.most * allowance.every)

        def step(pipeline: Any) -> bool:
            bucket = change(_bucket(self._opened(name, self._read(pipeline, key))))
            pipeline.multi()
            if bucket is not None and bucket.tokens is not None:
                value = {"tokens": bucket.tokens, "filled_at": bucket.filled_at}
                pipeline.set(key, self._signed(name, value), ex=lifetime)
            return bucket is not None

        typed = cast("Callable[[Any], None]", step)  # redis-py's types forget what value_from_callable is for
        return self._ask(lambda: bool(self._redis.transaction(typed, key, value_from_callable=True)), True)

    def ask_limiter(self, question: Callable[["MovingWindowRateLimiter"], float]) -> float | None:
        """What a limiter whose windows all processes share says; ``None`` while Redis is unavailable."""
        return self._ask(lambda: question(self._limiter), None)

    @cached_property
    def _limiter(self) -> "MovingWindowRateLimiter":
        from limits.storage import RedisStorage
        from limits.strategies import MovingWindowRateLimiter

        pool = self._redis.connection_pool
        return MovingWindowRateLimiter(RedisStorage(self._url, pool, key_prefix=f"{self._prefix}limit"))

    def note(self, name: str, member: str, *, keep: float) -> bool:
        """Add a member to the notes with this name for so many seconds, and remove older ones.

        :returns: whether Redis has it now.
        """
        key, now = self._prefix + name, self._clock()

        def add() -> bool:
            pipeline = self._redis.pipeline()
            pipeline.zadd(key, {member: now})
            pipeline.zremrangebyscore(key, "-inf", now - keep)
            pipeline.expire(key, int(keep) + 1)
            pipeline.execute()
            return True

        return self._ask(add, False)

    def noted(self, name: str, *, since: float) -> list[str] | None:
        """The members that were noted since then (seconds since the epoch), the newest first.

        :returns: ``None`` while Redis is away.
        """
        noted: list[str] = []
        for start in range(0, MOST_NOTES, NOTES_AT_ONCE):
            page = self._page_of_notes(name, since, start)
            if page is None:
                return None
            noted += page
            if len(page) < NOTES_AT_ONCE:
                break
        return noted

    def _page_of_notes(self, name: str, since: float, start: int) -> list[str] | None:
        def read() -> list[bytes]:
            found = self._redis.zrevrangebyscore(self._prefix + name, "+inf", since, start=start, num=NOTES_AT_ONCE)
            return cast("list[bytes]", found)

        members: list[bytes] | None = self._ask(read, None)
        return None if members is None else [member.decode(errors="replace") for member in members]

    @contextmanager
    def turn(self, name: str, *, seconds: float) -> Iterator[None]:
        """Let one process at a time in. Nobody waits longer than so many seconds, or for a dead process or Redis."""
        key, lifetime = self._prefix + name, int(seconds * 1000)
        lock = self._redis.lock(
            key, timeout=seconds, blocking_timeout=seconds, sleep=TURN_POLLED_EVERY, thread_local=False
        )

        def acquire_at_once() -> bool:
            if lock.acquire(blocking=False):
                return True
            left = self._redis.pttl(key)  # -1 means forever, -2 that it has expired
            if left == -1 or left > lifetime:  # not one of our turns, but all processes would wait for it
                self._redis.delete(key)
            return False

        held = self._ask(acquire_at_once, None)
        if held is False:
            held = self._ask(lock.acquire, False, seconds=seconds + LONGEST_WAIT)
        try:
            yield
        finally:
            if held:
                self._ask(lock.release, None)

    def _ask(self, command: Callable[[], A], otherwise: A, *, seconds: float = LONGEST_WAIT) -> A:
        """What Redis answers within so many seconds, connecting and resolving included (X11); else the other answer."""
        away_since, now = self._away_since, self._clock()
        if away_since is not None:
            if 0 <= now - away_since < AWAY_FOR:
                return otherwise
            self._away_since = now  # one caller finds out whether it is back; the others need not wait for that
        try:
            answer = run_beside(command, seconds=min(seconds, seconds_left()), discard=lambda _: None)
        except LockError:  # the turn took too long, and now belongs to another process
            return otherwise
        except (RedisError, OSError):
            self._note(away_since=self._clock())  # now, not when it was asked: it may have taken long to fail (X11)
            return otherwise
        if away_since is not None:
            self._note(away_since=None)
        return answer

    @staticmethod
    def _read(redis: Any, key: str) -> object:
        """The bytes of a value, no more of them than one of ours can have."""
        return redis.getrange(key, 0, LARGEST_VALUE) or None

    def _note(self, *, away_since: float | None) -> None:
        with self._lock:
            changed = (self._away_since is None) != (away_since is None)
            self._away_since = away_since
        if changed:
            self._tell("store_available" if away_since is None else "store_unavailable")

    def _signed(self, name: str, value: Mapping[str, object]) -> str:
        return json.dumps({"value": value, "mac": self._mac(name, value)}, ensure_ascii=False)

    def _opened(self, name: str, data: object) -> Mapping[str, object] | None:
        if not isinstance(data, bytes):
            return None
        try:
            kept = loads(data)
        except JSONError:
            return None
        if not isinstance(kept, dict) or not isinstance(value := kept.get("value"), dict):
            return None
        mac = kept.get("mac")
        if not isinstance(mac, str) or not hmac.compare_digest(mac.encode(), self._mac(name, value).encode()):
            return None
        return cast("Mapping[str, object]", value)

    def _mac(self, name: str, value: Mapping[str, object]) -> str:
        text = json.dumps([name, value], sort_keys=True)
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


def _bucket(value: Mapping[str, object] | None) -> Bucket:
    """The stored bucket, or a full one, also if another release of ours stored it in another format."""
    tokens, filled_at = (value or {}).get("tokens"), (value or {}).get("filled_at")
    if isinstance(tokens, (int, float)) and isinstance(filled_at, (int, float)):
        return Bucket(tokens, filled_at)
    return Bucket()

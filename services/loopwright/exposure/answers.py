"""Stored answers by request_id, in Redis for a minute: who claims a request decides it, everyone else is told.

A key holds first a claim, then the answer: the answer is stored only when its record is durable, so nobody is ever told
what a crash may still undo. With it go the ids that were served, for ten minutes: the next slate does not repeat them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from redis.asyncio import Redis

from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.connection import within

KEPT_MS = 60_000
"""How long a request_id is remembered."""

CLAIMED_MS = 2_000
"""How long a claim lasts at least: so long may a decider that died keep its request_id from the next."""

_MARGIN_MS = 500
_FORGET = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"

# One command with a few arguments instead of four with fifty, which the client would pack one by one.
_KEEP = """
if ARGV[1] ~= '' then redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2]) end
if ARGV[3] ~= '' then
  for id in string.gmatch(ARGV[3], '%d+') do redis.call('zadd', KEYS[2], ARGV[4], id) end
  redis.call('zremrangebyscore', KEYS[2], '-inf', ARGV[4] - ARGV[5])
  redis.call('pexpire', KEYS[2], ARGV[5])
end
"""


class AnswerStore(Protocol):
    """First come, first served."""

    async def claim(self, subject: bytes, request_id: str, claim: bytes, deadline: Deadline) -> bytes | None:
        """Store a claim unless something is there; return None when stored, else what is there: a claim or an answer.

        The claim outlasts the deadline, by which the append it stands for is over.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...

    async def keep(
        self, subject: bytes, request_id: str, packed: bytes | None, served: Sequence[int], deadline: Deadline
    ) -> None:
        """Store a packed answer whose record is durable, in the place of its claim, and guard the items it serves.

        Args:
            subject: 16 bytes.
            request_id: What the answer is for.
            packed: The answer; None when it is too long to be stored.
            served: Item ids that a person will see; hydration reads them beside the user's row.
            deadline: When both have to be over.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...

    async def forget(self, subject: bytes, request_id: str, claim: bytes) -> None:
        """Remove the claim if it is still there: its decision is not on record.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...


class RedisAnswers:
    """`req:{partition}:<subject hex>:<request_id>`, beside the user's row in one slot."""

    def __init__(self, redis: Redis, wall_ms: Callable[[], int], ceiling_s: float, namespace: str = "") -> None:
        """Take a client of `open_redis`, the wall clock, the ceiling of a call and the prefix of all keys."""
        self._redis = redis
        self._wall_ms = wall_ms
        self._ceiling_s = ceiling_s
        self._namespace = namespace

    async def claim(self, subject: bytes, request_id: str, claim: bytes, deadline: Deadline) -> bytes | None:
        """Claim in one round trip, `SET NX GET PX`; takes at most half of what the deadline leaves."""
        left_s = deadline.remaining()
        half = deadline.child(left_s / 2)  # the append needs the rest
        key = keys.stored_answer(subject, request_id, self._namespace)
        lasts_ms = min(KEPT_MS, max(CLAIMED_MS, round(left_s * 1000) + _MARGIN_MS))
        stored = await within(self._ceiling_s, half, self._redis.set(key, claim, nx=True, get=True, px=lasts_ms))
        return stored if isinstance(stored, bytes) else None

    async def keep(
        self, subject: bytes, request_id: str, packed: bytes | None, served: Sequence[int], deadline: Deadline
    ) -> None:
        """Set both keys in one exchange, whatever they hold: an answer whose record is durable may always be told."""
        answer = keys.stored_answer(subject, request_id, self._namespace)
        recent = keys.recent(subject, self._namespace)
        ids = " ".join(map(str, served))
        script = self._redis.eval(
            _KEEP, 2, answer, recent, packed or b"", str(KEPT_MS), ids, str(self._wall_ms()), str(keys.RECENT_MS)
        )
        await within(self._ceiling_s, deadline, script)

    async def forget(self, subject: bytes, request_id: str, claim: bytes) -> None:
        """Delete the key if it holds the claim; has a time of its own, as the call's may be over."""
        key = keys.stored_answer(subject, request_id, self._namespace)
        script = self._redis.eval(_FORGET, 1, key, claim)
        await within(self._ceiling_s, Deadline.after(self._ceiling_s), script)

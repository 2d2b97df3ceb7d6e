"""Stored answers by request_id, in Redis for a minute: who claims a request decides it, everyone else is told."""

from __future__ import annotations

from typing import Protocol

from redis.asyncio import Redis

from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.connection import within

KEPT_MS = 60_000
"""How long a request_id is remembered."""


class AnswerStore(Protocol):
    """First come, first served."""

    async def claim(self, subject: bytes, request_id: str, packed: bytes, deadline: Deadline) -> bytes | None:
        """Store the packed answer unless one is there; return None when stored, else the one that is there.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...

    async def forget(self, subject: bytes, request_id: str) -> None:
        """Remove the claim: its decision is not on record.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...


class RedisAnswers:
    """`req:{partition}:<subject hex>:<request_id>`, beside the user's row in one slot."""

    def __init__(self, redis: Redis, ceiling_s: float, namespace: str = "") -> None:
        """Take a client of `open_redis`, the ceiling of a call and the prefix of all keys."""
        self._redis = redis
        self._ceiling_s = ceiling_s
        self._namespace = namespace

    async def claim(self, subject: bytes, request_id: str, packed: bytes, deadline: Deadline) -> bytes | None:
        """Claim in one round trip, `SET NX GET PX`; takes at most half of what the deadline leaves."""
        half = deadline.child(deadline.remaining() / 2)  # the append needs the rest
        key = keys.stored_answer(subject, request_id, self._namespace)
        stored = await within(self._ceiling_s, half, self._redis.set(key, packed, nx=True, get=True, px=KEPT_MS))
        return stored if isinstance(stored, bytes) else None

    async def forget(self, subject: bytes, request_id: str) -> None:
        """Delete the key; has a time of its own, as the call's may be over."""
        key = keys.stored_answer(subject, request_id, self._namespace)
        await within(self._ceiling_s, Deadline.after(self._ceiling_s), self._redis.delete(key))

"""Remembers what a user was served within ten minutes, so that the next slate does not repeat it; best effort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from redis.asyncio import Redis

from loopwright.domain.enums import Purpose
from loopwright.rpc import Deadline
from loopwright.store import keys
from loopwright.store.connection import within


class RecentStore(Protocol):
    """Where the items of served slates stand for `keys.RECENT_MS`."""

    async def remember(self, subject: bytes, item_ids: Sequence[int], purpose: Purpose, deadline: Deadline) -> None:
        """Guard the items of a slate; only SERVE is remembered.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        ...


class RecentSlates:
    """Writes the sorted set that hydration reads beside the user's row."""

    def __init__(self, redis: Redis, wall_ms: Callable[[], int], ceiling_s: float, namespace: str = "") -> None:
        """Take a client of `open_redis`, the wall clock, the ceiling of a call and the prefix of all keys."""
        self._redis = redis
        self._wall_ms = wall_ms
        self._ceiling_s = ceiling_s
        self._namespace = namespace

    async def remember(self, subject: bytes, item_ids: Sequence[int], purpose: Purpose, deadline: Deadline) -> None:
        """Guard the items of a slate; only SERVE is remembered.

        Raises:
            FeatureStoreDown: The store is away; FeatureStoreTimeout: it did not answer in time.
        """
        if purpose is not Purpose.SERVE or not item_ids:
            return
        now = self._wall_ms()
        key = keys.recent(subject, self._namespace)
        pipe = self._redis.pipeline(transaction=False)
        pipe.zadd(key, {str(item): now for item in item_ids})
        pipe.zremrangebyscore(key, "-inf", now - keys.RECENT_MS)
        pipe.pexpire(key, keys.RECENT_MS)
        await within(self._ceiling_s, deadline, pipe.execute())

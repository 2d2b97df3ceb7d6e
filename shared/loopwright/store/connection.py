"""The client library's connection to the store, for what is not on the request path: the projector and tools.

The request path has a client of its own, `StoreClient`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.maint_notifications import MaintNotificationsConfig

from loopwright.faults import Fault, FeatureStoreDown, FeatureStoreTimeout

T = TypeVar("T")

FAULTS: Mapping[type[Exception], type[Fault]] = {
    RedisTimeout: FeatureStoreTimeout,
    TimeoutError: FeatureStoreTimeout,
    RedisError: FeatureStoreDown,
    OSError: FeatureStoreDown,
}

MOST_CONNECTIONS = 64
"""More calls at once than that are refused as if the server were down: a frozen one must not be met with ever more."""


@asynccontextmanager
async def open_redis(url: str, ceiling_s: float) -> AsyncIterator[Redis]:
    """Yield a client whose every wait ends after `ceiling_s` and which never retries.

    The library's own settings wait 4.4 s for a dead server and more than 20 s for a frozen one (measured).
    """
    client: Redis = Redis.from_url(
        url,
        socket_timeout=ceiling_s,
        socket_connect_timeout=ceiling_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        max_connections=MOST_CONNECTIONS,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    try:
        yield client
    finally:
        await client.aclose()


async def heeding(call: Awaitable[T]) -> T:
    """Await a call of the client, and be cancelled though the call swallowed the cancellation.

    The client sends with `asyncio.wait_for`, which in Python 3.11 drops a cancellation that arrives when the send has
    just ended (python/cpython#86296); a task cancelled then would go on for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    answer = await call
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return answer

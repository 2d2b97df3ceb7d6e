"""Puts exposure together from its settings; tests and the one-process composition give their own log and clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loopwright.eventlog import DurableWriter, EventLog, Outbox
from loopwright.exposure.answers import RedisAnswers
from loopwright.exposure.config import ExposureSettings
from loopwright.exposure.feedback import Feedback
from loopwright.exposure.known_ids import KnownIds
from loopwright.exposure.ledger import DecisionLedger, TokenPolicy
from loopwright.exposure.recent import RecentSlates
from loopwright.exposure.redis_client import open_redis
from loopwright.exposure.tokens import KeyRing
from loopwright.lifecycle import MeshClock

COMPRESSION_THREADS = 2


@dataclass(frozen=True, slots=True)
class Exposure:
    """The domain objects of the service."""

    ledger: DecisionLedger
    feedback: Feedback
    recent: RecentSlates


@asynccontextmanager
async def bootstrap(settings: ExposureSettings, log: EventLog, clock: MeshClock) -> AsyncIterator[Exposure]:
    """Yield the domain objects; leaving drains the outbox before the caller closes the log."""
    async with AsyncExitStack() as stack:
        outbox = None
        if settings.outbox_path is not None:
            opened = Outbox.open(settings.outbox_path, partitions=log.partitions, settings=settings.outbox)
            outbox = await stack.enter_async_context(opened)
        writer = await stack.enter_async_context(
            DurableWriter(log, outbox, kafka_budget_s=settings.log_budget_ms / 1000)
        )
        ceiling_s = settings.redis_timeout_ms / 1000
        redis = await stack.enter_async_context(open_redis(settings.redis_url, ceiling_s))
        threads = stack.enter_context(ThreadPoolExecutor(COMPRESSION_THREADS, thread_name_prefix="funnel"))
        ring = KeyRing(settings.token_key_id, settings.token_keys())
        yield Exposure(
            ledger=DecisionLedger(
                writer,
                RedisAnswers(redis, ceiling_s, settings.redis_namespace),
                TokenPolicy(ring, settings.token_ttl_s),
                clock,
                threads,
            ),
            feedback=Feedback(writer, ring, clock, KnownIds(settings.known_ids_size)),
            recent=RecentSlates(redis, clock.wall_ms, ceiling_s, settings.redis_namespace),
        )

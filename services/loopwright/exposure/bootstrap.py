"""Puts exposure together from its settings; tests and the one-process composition give their own log and clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loopwright.eventlog import DurableWriter, EventLog, Outbox
from loopwright.exposure.answers import AnswerStore, RedisAnswers
from loopwright.exposure.config import ExposureSettings
from loopwright.exposure.feedback import Feedback
from loopwright.exposure.known_ids import KnownIds
from loopwright.exposure.ledger import DecisionLedger, TokenPolicy
from loopwright.exposure.tokens import KeyRing
from loopwright.lifecycle import MeshClock
from loopwright.store.client import open_store

COMPRESSION_THREADS = 2
STOP_S = 1.0
"""Time given to appends of calls that are gone, when exposure stops."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """The domain objects of the service."""

    ledger: DecisionLedger
    feedback: Feedback


@asynccontextmanager
async def _redis_answers(settings: ExposureSettings, clock: MeshClock) -> AsyncIterator[AnswerStore]:
    async with open_store(settings.redis_url, settings.redis_timeout_ms / 1000) as store:
        yield RedisAnswers(store, clock.wall_ms, settings.redis_namespace)


@asynccontextmanager
async def bootstrap(
    settings: ExposureSettings, log: EventLog, clock: MeshClock, answers: AnswerStore | None = None
) -> AsyncIterator[Exposure]:
    """Yield the domain objects; leaving ends open appends, then drains the outbox, before the caller closes the log.

    Args:
        settings: Settings of exposure.
        log: The event log.
        clock: The mesh clock.
        answers: Stored answers and what was served lately; default: those in the Redis-compatible server that the
            settings name.
    """
    async with AsyncExitStack() as stack:
        outbox = None
        if settings.outbox_path is not None:
            opened = Outbox.open(settings.outbox_path, partitions=log.partitions, settings=settings.outbox)
            outbox = await stack.enter_async_context(opened)
        writer = await stack.enter_async_context(
            DurableWriter(log, outbox, kafka_budget_s=settings.log_budget_ms / 1000)
        )
        kept = answers if answers is not None else await stack.enter_async_context(_redis_answers(settings, clock))
        threads = stack.enter_context(ThreadPoolExecutor(COMPRESSION_THREADS, thread_name_prefix="funnel"))
        ring = KeyRing(settings.token_key_id, settings.token_keys())
        tokens = TokenPolicy(ring, settings.token_ttl_s)
        ledger = DecisionLedger(writer, kept, tokens, clock, threads)
        stack.push_async_callback(ledger.drained, STOP_S)
        yield Exposure(
            ledger=ledger,
            feedback=Feedback(writer, ring, clock, KnownIds(settings.known_ids_size)),
        )

"""Composition root of the projector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loopwright.lifecycle import Process
from loopwright.projector.config import ProjectorSettings
from loopwright.projector.projector import Projector
from loopwright.projector.redis_store import open_redis_store


@asynccontextmanager
async def bootstrap(settings: ProjectorSettings, process: Process) -> AsyncIterator[Projector]:
    """Yield a projector over all partitions; the caller runs it.

    Args:
        settings: The projector's settings.
        process: The running process: log, clock, readiness.
    """
    timeout_s = settings.redis_timeout_ms / 1000
    async with open_redis_store(settings.redis_url, settings.key_namespace, timeout_s=timeout_s) as store:
        yield Projector(
            process.log,
            store,
            process.clock,
            pace=settings.pace,
            cached_users=settings.cached_users,
            append_timeout_s=settings.append_timeout_s,
            wall_ms=process.clock.wall_ms,
            report=process.readiness.progress,
        )

"""Puts hydration together from its settings; tests and the one-process composition give their own log and clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loopwright.bundle import BundleFeed
from loopwright.eventlog import EventLog
from loopwright.hydration.config import HydrationSettings
from loopwright.hydration.hydrator import Hydrator
from loopwright.hydration.items import ItemSide
from loopwright.hydration.lag import Progress
from loopwright.hydration.rows import RedisRows, RowStore
from loopwright.hydration.users import UserSide
from loopwright.lifecycle import MeshClock
from loopwright.mirror import ItemMirror
from loopwright.store.client import open_store


@dataclass(frozen=True, slots=True)
class Hydration:
    """The domain object of the service, and the folds it stands on, caught up."""

    hydrator: Hydrator
    feed: BundleFeed
    mirror: ItemMirror


@asynccontextmanager
async def _redis_rows(settings: HydrationSettings, clock: MeshClock) -> AsyncIterator[RowStore]:
    async with open_store(settings.redis_url, settings.redis_timeout_ms / 1000) as store:
        yield RedisRows(store, clock.wall_ms, settings.redis_namespace)


@asynccontextmanager
async def bootstrap(
    settings: HydrationSettings, log: EventLog, clock: MeshClock, rows: RowStore | None = None
) -> AsyncIterator[Hydration]:
    """Yield the domain object once the bundles are folded and the mirror has caught up.

    Args:
        settings: Settings of hydration.
        log: The event log.
        clock: The mesh clock.
        rows: The projections to read; default: those in the Redis-compatible server that the settings name.
    """
    async with AsyncExitStack() as stack:
        store = rows if rows is not None else await stack.enter_async_context(_redis_rows(settings, clock))
        mirror = ItemMirror(log)
        await mirror.start()
        stack.push_async_callback(mirror.stop)
        feed = await stack.enter_async_context(BundleFeed(log))
        progress = Progress(clock.wall_ms)
        users = UserSide(store, mirror.table, progress)
        items = ItemSide(mirror, store, progress, clock.wall_ms)
        yield Hydration(Hydrator(users, items, feed.get), feed, mirror)

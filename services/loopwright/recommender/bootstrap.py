"""Composition root of the front door: the one place that wires clients, feed, clock and servicer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loopwright.bundle import BundleFeed, BundleReports
from loopwright.lifecycle import Process
from loopwright.pipeline.runner import Pipeline
from loopwright.recommender.clients import Clients, connect
from loopwright.recommender.config import RecommenderSettings
from loopwright.recommender.explain import DecisionReader
from loopwright.recommender.front_door import Dice, FrontDoor
from loopwright.recommender.names import ItemNames
from loopwright.recommender.servicer import RecommenderServicer


@dataclass(frozen=True, slots=True)
class Recommender:
    """The front door, ready: the domain objects for the one-process composition, the servicer for gRPC."""

    door: FrontDoor
    feed: BundleFeed
    reader: DecisionReader
    names: ItemNames
    servicer: RecommenderServicer


def system_dice() -> Dice:
    """Return randomness of the operating system."""
    return Dice(seed=lambda: int.from_bytes(os.urandom(8), "big"), entropy=lambda: os.urandom(9))


def pipeline_over(clients: Clients) -> Pipeline:
    """Return the request path over these clients."""
    return Pipeline(
        context=clients.hydration,
        candidates=clients.retrieval,
        columns=clients.hydration,
        scores=clients.ranking,
        slate=clients.policy,
        ledger=clients.ledger,
    )


@asynccontextmanager
async def bootstrap(
    settings: RecommenderSettings, process: Process, dice: Dice | None = None, clients: Clients | None = None
) -> AsyncIterator[Recommender]:
    """Yield a front door that is ready to serve.

    Args:
        settings: The front door's settings.
        process: The running process: log, clock, readiness.
        dice: Source of seeds and id entropy; default: the operating system's.
        clients: The leaves; default: those that the settings name, over gRPC.
    """
    async with AsyncExitStack() as stack:
        leaves = clients if clients is not None else await stack.enter_async_context(connect(settings))
        feed = await stack.enter_async_context(BundleFeed(process.log))
        process.watch(feed)
        process.watch(await stack.enter_async_context(BundleReports(feed, process.readiness)))
        door = FrontDoor(pipeline_over(leaves), feed, process.clock, dice or system_dice())
        reader = DecisionReader(process.log, settings.outbox_max_age_s)
        items = ItemNames(leaves.hydration, process.clock)
        subject_key = settings.subject_key.get_secret_value().encode()
        yield Recommender(door, feed, reader, items, RecommenderServicer(door, reader, items, subject_key))

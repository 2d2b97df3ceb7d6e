"""Waits until every fold of a one-process mesh holds all that is on the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from loopwright.eventlog import (
    ACTIONS,
    CATALOG,
    FALLBACKS,
    ITEM_FACTS,
    ITEM_ROWS,
    ORGANIC,
    POLICIES,
    EventLog,
    Offsets,
    Topic,
    covers,
)
from loopwright.faults import DeadlineExceeded
from loopwright.featurespec.groups import STAGE_ITEMS, STAGE_USERS
from loopwright.localmesh.composition.services import Services
from loopwright.policy.bundles.gate import MUST_LOAD
from loopwright.projector.parking import parked
from loopwright.projector.user_stage import TOPICS
from loopwright.rpc import Deadline
from loopwright.store import keys

POLL_S = 0.002
CURRENT_MS = 100
"""A fold that looked at the log this lately, by the wall clock of the mesh, counts as current."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold: what it reads and how far it has come."""

    name: str
    topics: tuple[Topic, ...]
    position: Callable[[], Offsets]


def projections(services: Services) -> list[Fold]:
    """Return the folds of the projector."""
    told = services.processes["projector"].readiness.folded
    return [
        Fold("projector of users", TOPICS, lambda: told(STAGE_USERS)),
        Fold("projector of items", (CATALOG, ITEM_FACTS), lambda: told(STAGE_ITEMS)),
    ]


def mirrors(services: Services) -> list[Fold]:
    """Return every other fold; those that read what the projector derives come last."""
    told = services.processes["retrieval"].readiness.folded
    feeds = {
        "policy": services.policy.feed,
        "hydration": services.hydration.feed,
        "recommender": services.recommender.feed,
    }
    return [
        *(Fold(f"policies in {name}", (POLICIES, FALLBACKS), feed.tail.position) for name, feed in feeds.items()),
        Fold("catalogue of ingest", (CATALOG,), services.ingest.catalogue.position),
        Fold("graph of retrieval", (ORGANIC, ACTIONS), lambda: told("graph")),
        Fold("mirror of hydration", (ITEM_ROWS,), services.hydration.mirror.progress),
        Fold("mirror of retrieval", (ITEM_ROWS,), lambda: told("mirror")),
    ]


async def settle(services: Services, log: EventLog, deadline: Deadline) -> None:
    """Return when all that was on the log at the call is folded everywhere, as of the clocks' present time.

    A parked projector is not waited for. Bundles on the log are loaded or refused by every service when this returns.

    Raises:
        DeadlineExceeded: Something is behind; the message says what.
        Exception: What ended the projector.
    """
    standing = await parked(services.rows) is not None
    folds = [*([] if standing else projections(services)), *mirrors(services)]
    for fold in folds:
        ends = await log.ends(fold.topics)
        while not covers(fold.position(), ends):
            await _pause(fold.name, services, deadline)
    clocks = [process.clock for process in services.processes.values()]
    await _until(lambda: len({clock.offset_ms for clock in clocks}) == 1, "a mesh clock", services, deadline)
    wall_ms = clocks[0].wall_ms
    mirror = services.hydration.mirror
    await _until(lambda: mirror.lag_s(wall_ms()) * 1000 <= CURRENT_MS, "age of a mirror", services, deadline)
    feed = services.recommender.feed
    await _until(lambda: wall_ms() - (feed.caught_up_at_ms or 0) <= CURRENT_MS, "age of a feed", services, deadline)
    if not standing:
        await _until_current(services, deadline)
    await _until(lambda: _answered(services), "a report on a bundle", services, deadline)


async def until_parked(services: Services, wanted: bool, deadline: Deadline) -> None:
    """Return when the projector stands, or when it runs again.

    Raises:
        DeadlineExceeded: It did not follow the request in time.
    """
    while (await parked(services.rows) is not None) is not wanted:
        await _pause("parking of the projector", services, deadline)


def _answered(services: Services) -> bool:
    view = services.policy.readiness
    replicas = [replica for service in MUST_LOAD for replica in view.live(service)]
    published = services.policy.feed.published()
    told = all(view.state(replica.name, "bundle", entry.version) for replica in replicas for entry in published)
    return told and {replica.service for replica in replicas} == set(MUST_LOAD)


async def _until_current(services: Services, deadline: Deadline) -> None:
    wall_ms = services.processes["projector"].clock.wall_ms
    stages = [keys.progress(stage) for stage in (STAGE_USERS, STAGE_ITEMS)]
    while True:
        told = await services.rows.values(stages)
        if all(text is not None and wall_ms() - int(text) <= CURRENT_MS for text in told):
            return
        await _pause("progress of the projector", services, deadline)


async def _until(holds: Callable[[], bool], what: str, services: Services, deadline: Deadline) -> None:
    while not holds():
        await _pause(what, services, deadline)


async def _pause(what: str, services: Services, deadline: Deadline) -> None:
    if services.projecting.done():
        services.projecting.result()
    if deadline.expired:
        raise DeadlineExceeded(f"the mesh has not settled: {what}")
    await asyncio.sleep(POLL_S)

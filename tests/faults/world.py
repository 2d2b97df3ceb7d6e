"""The mesh that all scenarios share: real servers, every service a process, a small catalogue, users with a past.

It is prepared once. Three bundles are published: one that serves, and two whose models differ to switch between.
"""

from __future__ import annotations

import asyncio
import csv
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.progress import Progress

from loopwright.bundle import PolicyBundle, default_bundle, policy_version, with_models, with_values
from loopwright.cli.clients import policy_service
from loopwright.cli.importing.command import Clock, Job, run_import
from loopwright.cli.promoting import switch
from loopwright.domain.ids import item_id
from loopwright.eventlog import (
    ACTIONS,
    DECISIONS,
    FUNNELS,
    IMPRESSIONS,
    ORGANIC,
    POLICIES,
    KafkaEventLog,
    Offsets,
    Undecodable,
)
from loopwright.featurespec.groups import width
from loopwright.localmesh.control import LocalMesh
from loopwright.localmesh.mesh import running_mesh
from loopwright.modelstore import Kind, ModelStore
from tests.faults.facts import LogFacts
from tests.faults.history import open_history
from tests.faults.load import SURFACE, Load, gateway, user_names
from tests.tiny_models import put_scorer, put_two_tower

ITEMS, USERS, ROWS_EACH, TASTES = 600, 1000, 4, 6
REPLICAS = {"ranking": 2, "exposure": 2, "recommender": 2}
FUNNEL_RATE, PROVEN_FUNNEL_RATE = 0.02, 0.25
SLIM: dict[str, object] = {
    "retrieval.max_candidates": 120,
    "retrieval.sources.two_tower.quota": 80,
    "retrieval.sources.co_visitation.quota": 50,
    "retrieval.sources.trending.quota": 20,
    "retrieval.sources.fresh.quota": 20,
    "retrieval.sources.popularity.quota": 20,
    "ranking.best_n": 60,
}
"""What two cores can serve 20 times a second with room left for a part that starts again beside it."""
WARM_S = 4.0
ACTOR = "fault lab"
TOPICS = (POLICIES, ORGANIC, DECISIONS, FUNNELS, IMPRESSIONS, ACTIONS)


@dataclass(slots=True)
class LogView:
    """Reads the log on from where it stopped; `undecodable` counts what no reader could use."""

    bootstrap: str
    facts: LogFacts = field(default_factory=LogFacts)
    undecodable: int = 0
    _read: Offsets = field(default_factory=dict)

    async def read(self) -> LogFacts:
        """Return everything that is on the log now."""
        async with KafkaEventLog.open(self.bootstrap, producer="cli") as log:
            ends = await log.ends(TOPICS)
            async with log.reader(TOPICS, start=self._read, stop=ends, on_undecodable=self._skip) as reader:
                while not reader.done():
                    self.facts.add(await reader.read())
            self._read = ends
        return self.facts

    def _skip(self, _: Undecodable) -> None:
        self.undecodable += 1


@dataclass(slots=True)
class World:
    """The running mesh and what is known of it."""

    mesh: LocalMesh
    folder: Path
    log: LogView
    users: deque[str]
    steady: PolicyBundle
    pair: tuple[PolicyBundle, PolicyBundle]

    @property
    def addresses(self) -> dict[str, str]:
        """Name -> address."""
        return self.mesh.addresses()

    async def activate(self, bundle: PolicyBundle, why: str) -> str:
        """Make a bundle active, published before if need be; return its version."""
        async with policy_service(self.addresses["policy"], ACTOR) as client:
            await switch(client, SURFACE, lambda known: bundle, reason=why)
        return policy_version(bundle)


def write_catalogue(folder: Path) -> tuple[Path, Path]:
    """Write items of a few tastes and users who mostly rate items of theirs; nothing is random."""
    items, ratings = folder / "items.csv", folder / "ratings.csv"
    with items.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item_id", "title", "tags", "creator", "published_at"))
        for n in range(ITEMS):
            published = f"2026-{1 + n * 9 // ITEMS:02d}-01T00:00:00Z"
            writer.writerow((f"i{n}", f"Item {n}", f"tag{n % 24}|taste{n % TASTES}", f"creator{n % 97}", published))
    with ratings.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("user_id", "item_id", "rating", "timestamp"))
        for rank in range(ROWS_EACH):
            for number, user in enumerate(user_names(USERS)):
                taste = number % TASTES
                item = (taste + TASTES * (number * 7 + rank * 13)) % ITEMS
                writer.writerow((user, f"i{item}", 3 + (number + rank) % 3, 1_790_000_000 + rank * 86_400 + number))
    return items, ratings


def with_tiny_models(store: ModelStore, bundle: PolicyBundle, seed: int) -> PolicyBundle:
    """Put models with known arithmetic into the store and pin them."""
    user, item = tuple(bundle.features.user), tuple(bundle.features.item)
    ids = np.sort(np.array([item_id(f"i{n}") for n in range(ITEMS)], np.uint64))
    pins = {
        kind.value: put_scorer(store, kind, width(user), width(item), (*user, *item), seed=seed).model_version
        for kind in (Kind.PRE_RANKER, Kind.RANKER)
    }
    return with_models(bundle, two_tower=put_two_tower(store, ids, seed=seed).model_version, **pins)


async def prepared(mesh: LocalMesh, folder: Path) -> World:
    """Bring catalogue, history, models and bundles in."""
    items, ratings = write_catalogue(folder)
    job = Job(ratings, items, Clock.NOW, 1.0, None, 4.0, "")
    addresses = mesh.addresses()
    done = await run_import(job, mesh.data_dir, addresses["ingest"], addresses["kafka"], Progress(disable=True))
    assert (done.items, done.interactions, done.rejects) == (ITEMS, USERS * ROWS_EACH, 0)
    store = ModelStore(mesh.layout.model_store)
    plain = with_values(default_bundle(), SLIM | {"funnel.rate": FUNNEL_RATE})
    steady = with_tiny_models(store, plain, seed=1)
    first, second = (
        with_values(with_tiny_models(store, plain, seed=seed), {"funnel.rate": PROVEN_FUNNEL_RATE}) for seed in (2, 3)
    )
    log = LogView(addresses["kafka"])
    world = World(mesh, folder, log, deque(user_names(USERS)), steady, (first, second))
    for bundle in (first, second, steady):
        await world.activate(bundle, "the lab's bundles")
    await warmed(world)
    await log.read()
    return world


async def warmed(world: World) -> None:
    """Send a few seconds of load, so that no scenario pays for first calls."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(WARM_S, stop.set)
    async with open_history(world.folder / "warm.history.jsonl") as history, gateway(world.addresses) as calls:
        await Load(calls, history, "warm", world.users, rate=10).run(stop)


@asynccontextmanager
async def running_world(folder: Path) -> AsyncIterator[World]:
    """Run the mesh of the scenarios."""
    async with running_mesh(folder / "mesh", replicas=REPLICAS) as mesh:
        yield await prepared(mesh, folder)

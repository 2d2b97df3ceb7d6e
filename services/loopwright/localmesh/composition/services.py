"""Starts the domain objects of every service on the request and log paths over one broker in memory.

The same bootstraps as in the deployed mesh, given a log, a clock and stores; `one_process` is the face of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import loopwright.exposure.bootstrap as exposure_room
import loopwright.hydration.bootstrap as hydration_room
import loopwright.ingest.bootstrap as ingest_room
import loopwright.policy.bootstrap as policy_room
import loopwright.ranking.bootstrap as ranking_room
import loopwright.recommender.bootstrap as recommender_room
import loopwright.retrieval.bootstrap as retrieval_room
from loopwright.eventlog import MemoryBroker, MemoryEventLog, WallClock
from loopwright.exposure.config import ExposureSettings
from loopwright.hydration.bundle_reports import reporting
from loopwright.hydration.config import HydrationSettings
from loopwright.ingest.config import IngestSettings
from loopwright.lifecycle import Process, ServiceSettings, process_over
from loopwright.localmesh.composition.memory_rows import MemoryAnswers, MemoryRows, Volatile
from loopwright.policy.config import PolicySettings
from loopwright.projector.config import Pace, ProjectorSettings
from loopwright.projector.projector import Projector
from loopwright.projector.store import MemoryStore
from loopwright.ranking.config import RankingSettings
from loopwright.recommender.clients import Clients
from loopwright.recommender.config import RecommenderSettings
from loopwright.recommender.front_door import Dice
from loopwright.retrieval.config import RetrievalSettings

PACE = Pace(poll_interval_ms=50, gather_ms=0, progress_interval_ms=40, sweep_interval_ms=200)
"""In memory a look costs nothing, so what is appended is folded within milliseconds."""
INDEX_REFRESH_MS = 10
GRAPH_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True)
class Services:
    """The domain objects, ready.

    Attributes:
        processes: Service -> its process: log, clock, readiness.
        rows: The projector's store.
        projecting: The running projector; done only when it failed.
        clients: The leaves as the front door has them: the domain objects themselves.
        policy, ingest, hydration, retrieval, ranking, exposure, recommender: What each service's bootstrap yields.
    """

    processes: Mapping[str, Process]
    rows: MemoryStore
    projecting: asyncio.Task[None]
    clients: Clients
    policy: policy_room.Policy
    ingest: ingest_room.Ingest
    hydration: hydration_room.Hydration
    retrieval: retrieval_room.Retrieval
    ranking: ranking_room.Ranking
    exposure: exposure_room.Exposure
    recommender: recommender_room.Recommender


@asynccontextmanager
async def projecting(process: Process, rows: MemoryStore) -> AsyncIterator[asyncio.Task[None]]:
    """Run the projector beside the block."""
    clock, report = process.clock, process.readiness.progress
    projector = Projector(process.log, rows, clock, pace=PACE, wall_ms=clock.wall_ms, report=report)
    task = asyncio.create_task(projector.run(), name="projector")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def running_services(
    broker: MemoryBroker, models: Path, wall_ms: WallClock, dice: Dice | None
) -> AsyncIterator[Services]:
    """Run every service; yields when all have caught up with the broker.

    Args:
        broker: The log.
        models: Folder of the model store.
        wall_ms: The wall clock of every service, in milliseconds.
        dice: Seeds and id entropy of the front door; default: the operating system's.
    """
    async with AsyncExitStack() as stack:
        processes: dict[str, Process] = {}

        async def start(service: str, settings: ServiceSettings) -> Process:
            log = MemoryEventLog(broker, producer=service, replica=settings.replica)
            opened = process_over(log, service, settings, wall_ms=wall_ms)
            processes[service] = await stack.enter_async_context(opened)
            return processes[service]

        enter = stack.enter_async_context
        rows, volatile = MemoryStore(), Volatile(wall_ms)
        settings = PolicySettings()
        policy = await enter(policy_room.bootstrap(settings, await start("policy", settings)))
        taking = IngestSettings()
        ingest = await enter(ingest_room.bootstrap(taking, await start("ingest", taking)))
        folding = await enter(projecting(await start("projector", ProjectorSettings()), rows))
        hydrating = HydrationSettings()
        proc = await start("hydration", hydrating)
        hydration = await enter(hydration_room.bootstrap(hydrating, proc.log, proc.clock, MemoryRows(rows, volatile)))
        await enter(reporting(hydration.feed, hydration.mirror, proc.readiness))
        finding = RetrievalSettings(
            model_store_path=models, index_refresh_ms=INDEX_REFRESH_MS, graph_interval_s=GRAPH_INTERVAL_S
        )
        retrieval = await enter(retrieval_room.bootstrap(finding, await start("retrieval", finding)))
        scoring = RankingSettings(model_store_path=models)
        ranking = await enter(ranking_room.bootstrap(scoring, await start("ranking", scoring)))
        recording = ExposureSettings(outbox_path=None)  # a log in memory is never away
        proc = await start("exposure", recording)
        exposure = await enter(exposure_room.bootstrap(recording, proc.log, proc.clock, MemoryAnswers(volatile)))
        clients = Clients(
            hydration=hydration.hydrator,
            retrieval=retrieval.retriever,
            ranking=ranking.ranker,
            policy=policy.decider,
            ledger=exposure.ledger,
        )
        facing = RecommenderSettings()
        recommender = await enter(recommender_room.bootstrap(facing, await start("recommender", facing), dice, clients))
        yield Services(
            processes=processes,
            rows=rows,
            projecting=folding,
            clients=clients,
            policy=policy,
            ingest=ingest,
            hydration=hydration,
            retrieval=retrieval,
            ranking=ranking,
            exposure=exposure,
            recommender=recommender,
        )

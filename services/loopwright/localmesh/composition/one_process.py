"""`one_process`: a whole mesh in one process, for tests, replays, what-if questions and fast simulation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from loopwright.eventlog import MemoryBroker, MemoryEventLog, WallClock, wall_now_ms
from loopwright.exposure.bootstrap import Exposure
from loopwright.ingest.bootstrap import Ingest
from loopwright.localmesh.composition.services import Services, running_services
from loopwright.localmesh.composition.settling import settle, until_parked
from loopwright.modelstore import ModelStore
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.types import Request
from loopwright.policy.bundles import Administration
from loopwright.projector.parking import SOURCES, park, unpark
from loopwright.recommender.front_door import Dice
from loopwright.rpc import Deadline

SETTLED_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class OneProcess:
    """A running mesh.

    Attributes:
        broker: The log of all services.
        models: The model store.
        services: The domain objects of every service.
    """

    broker: MemoryBroker
    models: ModelStore
    services: Services

    async def recommend(self, request: Request, deadline: Deadline) -> Answer:
        """Return a slate whose record is on the log; raises as `FrontDoor.recommend` does."""
        return await self.services.recommender.door.recommend(request, deadline)

    @property
    def exposure(self) -> Exposure:
        """Where impressions and actions are reported."""
        return self.services.exposure

    @property
    def ingest(self) -> Ingest:
        """Where items, profiles and organic interactions come in, and where the clock is set."""
        return self.services.ingest

    @property
    def policy(self) -> Administration:
        """Publishes, activates and rolls back bundles."""
        return self.services.policy.administration

    def log(self, producer: str) -> MemoryEventLog:
        """Return the log as this service sees it."""
        return MemoryEventLog(self.broker, producer=producer)

    async def settle(self, deadline: Deadline | None = None) -> None:
        """Return when everything on the log is folded everywhere and every bundle on it is loaded or refused.

        Raises:
            DeadlineExceeded: Something is behind; the message says what.
        """
        await settle(self.services, self.log("localmesh"), deadline or Deadline.after(SETTLED_WITHIN_S))

    @asynccontextmanager
    async def paused_projector(self) -> AsyncIterator[None]:
        """Hold the projector at the log's present ends within the block.

        Raises:
            DeadlineExceeded: The log could not be folded up to there in time.
        """
        rows = self.services.rows
        await self.settle()
        await park(rows, await self.log("localmesh").ends(SOURCES))
        await until_parked(self.services, True, Deadline.after(SETTLED_WITHIN_S))
        try:
            yield
        finally:
            await unpark(rows)
            await until_parked(self.services, False, Deadline.after(SETTLED_WITHIN_S))


@asynccontextmanager
async def one_process(
    data_dir: Path, *, wall_ms: WallClock = wall_now_ms, dice: Dice | None = None, broker: MemoryBroker | None = None
) -> AsyncIterator[OneProcess]:
    """Run a mesh within the block; it is ready and settled when the block begins.

    Args:
        data_dir: Folder of the model store, `data_dir/models`; nothing else is written to disk.
        wall_ms: The wall clock of all services, in milliseconds.
        dice: Seeds and id entropy of the front door; default: the operating system's.
        broker: A log to continue; default: a new one on the same clock.
    """
    models = data_dir / "models"
    models.mkdir(parents=True, exist_ok=True)
    log = broker or MemoryBroker(wall_ms=wall_ms)
    async with running_services(log, models, wall_ms, dice) as services:
        mesh = OneProcess(log, ModelStore(models), services)
        await mesh.settle()
        yield mesh

"""What the steps of one demo share: options, folder, the live mesh, the population, and the report they fill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.progress import Progress

from loopwright.cli.demo.population import Population, populate
from loopwright.cli.importing.rows import Reject, read_ratings
from loopwright.cli.training import TrainingResult
from loopwright.eventlog import CONTROL, EventLog, KafkaEventLog, replay
from loopwright.faults import Fault, Kind
from loopwright.lifecycle import MeshClock
from loopwright.localmesh.dataset import Dataset

SURFACE = "home"
SLATE_LENGTH = 20
ACTOR = "loopwright demo"


class DemoFailed(Fault):
    """The loop did not do what the demo is there to show."""

    kind = Kind.INTERNAL
    reason = "DEMO_FAILED"


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may choose.

    Attributes:
        requests: SERVE requests; the explore slot moves after half of them.
        users_share: Share of the users that take part.
        seed: Of the world, of both trainings and of the sample that is proven.
        in_flight: Visits under way at once.
        proofs: Decisions to prove.
    """

    requests: int
    users_share: float
    seed: int
    in_flight: int
    proofs: int


@dataclass(slots=True)
class Report:
    """What the steps found, for the final table and for `--json`; `printed` is shown as soon as its step ends."""

    seconds: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    printed: list[RenderableType] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the report as one JSON object."""
        return {**self.facts, "seconds": self.seconds}


class Scene:
    """One run of the demo."""

    def __init__(self, options: Options, folder: Path, dataset: Dataset) -> None:
        """Take the options, the demo's own data folder and the files to import."""
        self.options, self.folder, self.dataset = options, folder, dataset
        self.report = Report()
        self.addresses: Mapping[str, str] = {}
        self.progress = Progress(disable=True)
        rejected: list[Reject] = []  # the importer tells of them
        self.population: Population = populate(read_ratings(dataset.ratings, rejected), options.users_share)
        self.judged_at_ms = 0
        self.incumbent: dict[str, float] = {}
        self.training: TrainingResult | None = None

    @property
    def inputs(self) -> Path:
        """Folder of the files the demo writes for its own steps."""
        folder = self.folder / "inputs"
        folder.mkdir(exist_ok=True)
        return folder

    @asynccontextmanager
    async def log(self) -> AsyncIterator[EventLog]:
        """Open the event log to read."""
        async with KafkaEventLog.open(self.addresses["kafka"], producer="cli") as log:
            yield log


async def mesh_now_ms(log: EventLog) -> int:
    """Return mesh time now, from the clock facts on the log."""
    clock = MeshClock()
    async for records in replay(log, [CONTROL]):
        for record in records:
            clock.apply(record)
    return clock.now_ms()

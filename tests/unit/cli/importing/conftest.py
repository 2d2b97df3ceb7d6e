"""A running ingest over a log in memory, as the importer calls it, and CSV files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from loopwright.api.ingest.v1.ingest_service_pb2_grpc import add_IngestServiceServicer_to_server
from loopwright.cli.importing.clients import IngestClient
from loopwright.eventlog import Event, MemoryBroker, MemoryEventLog, Topic
from loopwright.ingest.bootstrap import bootstrap
from loopwright.ingest.config import IngestSettings
from loopwright.lifecycle import Process, process_over
from loopwright.rpc import ChannelSettings, Mount, RpcSettings, open_channel, serving

WALL_MS = 1_800_000_000_000


@dataclass
class RunningIngest:
    """Where ingest listens, and the log that it writes."""

    target: str
    broker: MemoryBroker
    process: Process
    client: IngestClient

    def events(self, topic: Topic) -> list[Event]:
        return self.broker.records(topic)


@pytest.fixture
async def ingest() -> AsyncIterator[RunningIngest]:
    broker = MemoryBroker(partitions=4, wall_ms=lambda: WALL_MS)
    settings = IngestSettings(rpc=RpcSettings(port=0))
    log = MemoryEventLog(broker, producer="ingest")
    async with process_over(log, "ingest", settings, wall_ms=lambda: WALL_MS) as process:
        async with bootstrap(settings, process) as ready:
            mount = Mount(add_IngestServiceServicer_to_server, ready.servicer)
            async with serving([mount], settings.rpc) as server:
                async with open_channel(server.target, ChannelSettings()) as channel:
                    yield RunningIngest(server.target, broker, process, IngestClient(channel))


@dataclass
class Files:
    """Writes the two CSV files of an import."""

    folder: Path

    @property
    def ratings(self) -> Path:
        return self.folder / "ratings.csv"

    @property
    def items(self) -> Path:
        return self.folder / "items.csv"

    def write(self, ratings: Sequence[str], items: Sequence[str] = ("i1,One,a|b,,,,", "i2,Two,,,,,")) -> None:
        header = "item_id,title,tags,creator,published_at,locale,text"
        self.items.write_text("\n".join([header, *items]) + "\n", "utf-8")
        self.ratings.write_text("\n".join(["user_id,item_id,rating,timestamp", *ratings]) + "\n", "utf-8")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)

"""A running ingest over a log in memory, and the calls of a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from loopwright.api.events.v1.decision_pb2 import RequestRecord, SlateDecided
from loopwright.api.ingest.v1 import ingest_service_pb2 as pb
from loopwright.api.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub, add_IngestServiceServicer_to_server
from loopwright.domain.enums import ActionKind, Purpose
from loopwright.domain.ids import event_id
from loopwright.eventlog import DECISIONS, Event, MemoryBroker, MemoryEventLog, make_event, set_ms
from loopwright.ingest.bootstrap import bootstrap
from loopwright.ingest.config import IngestSettings
from loopwright.ingest.servicer import IngestServicer
from loopwright.lifecycle import FixedClock, Process, process_over
from loopwright.rpc import Deadline, Mount, RpcSettings, open_channel, serving

DAY_MS = 86_400_000
NOW_MS = 1_760_000_000_000
TEN_S = 10.0


class Wall:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


@dataclass
class Running:
    """What a test of ingest needs."""

    broker: MemoryBroker
    process: Process
    servicer: IngestServicer
    wall: Wall
    stub: Any = None
    target: str = ""

    async def items(self, *rows: pb.Item, batch: int = 1) -> pb.IngestItemsResponse:
        return await only(self.stub.IngestItems, [pb.IngestItemsRequest(batch=batch, items=rows)])

    async def interactions(self, *rows: pb.Interaction, batch: int = 1) -> pb.IngestInteractionsResponse:
        return await only(
            self.stub.IngestInteractions,
            [pb.IngestInteractionsRequest(batch=batch, interactions=rows, surface="home")],
        )

    async def profiles(self, *rows: pb.Profile) -> pb.IngestProfilesResponse:
        return await only(self.stub.IngestProfiles, [pb.IngestProfilesRequest(batch=1, profiles=rows)])

    async def decide(self, purpose: Purpose, ms: int) -> None:
        """Put a decision on the log, as exposure does."""
        event = make_event(
            event_id("d", ms, int(purpose)),
            ms,
            FixedClock(ms),
            "exposure",
            slate_decided=SlateDecided(request=RequestRecord(purpose=int(purpose))),
        )
        log = MemoryEventLog(self.broker, producer="exposure")
        await log.append(DECISIONS, b"s" * 16, event, deadline=Deadline.after(TEN_S))


async def requests(messages: Sequence[Any]) -> AsyncIterator[Any]:
    for message in messages:
        yield message


async def answers(method: Any, messages: Sequence[Any]) -> list[Any]:
    """Send a stream and return every answer."""
    return [answer async for answer in method(requests(messages), timeout=TEN_S)]


async def only(method: Any, messages: Sequence[Any]) -> Any:
    (answer,) = await answers(method, messages)
    return answer


def item(name: str, *, at_ms: int | None = None, **fields: Any) -> pb.Item:
    row = pb.Item(item_id=name, **fields)
    if at_ms is not None:
        set_ms(row.occurred_at, at_ms)
    return row


def rated(
    user: str, name: str, client_id: str = "1", *, at_ms: int | None = None, value: float = 4.0
) -> pb.Interaction:
    row = pb.Interaction(
        user_id=user,
        item_id=name,
        kind=int(ActionKind.RATE),  # type: ignore[arg-type]
        value=value,
        liked=value >= 4,
        client_event_id=client_id,
    )
    if at_ms is not None:
        set_ms(row.occurred_at, at_ms)
    return row


@asynccontextmanager
async def running(broker: MemoryBroker, wall: Wall, *, served: bool = True) -> AsyncIterator[Running]:
    settings = IngestSettings()
    log = MemoryEventLog(broker, producer="ingest")
    async with process_over(log, "ingest", settings, wall_ms=wall) as process:
        async with bootstrap(settings, process) as ingest:
            found = Running(broker, process, ingest.servicer, wall)
            if not served:
                yield found
                return
            mounts = [Mount(add_IngestServiceServicer_to_server, ingest.servicer)]
            async with serving(mounts, RpcSettings(grace_s=0)) as server, open_channel(server.target) as channel:
                found.stub, found.target = IngestServiceStub(channel), server.target
                yield found


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
async def ingest(broker: MemoryBroker, wall: Wall) -> AsyncIterator[Running]:
    async with running(broker, wall) as found:
        yield found


@pytest.fixture
def rows() -> Any:
    """Makers of rows, for tests that cannot import this file."""
    from types import SimpleNamespace

    return SimpleNamespace(
        item=item, rated=rated, running=running, answers=answers, NOW_MS=NOW_MS, DAY_MS=DAY_MS, TEN_S=TEN_S, Event=Event
    )

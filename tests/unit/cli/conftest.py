"""A data folder whose mesh is this process: the real policy service and a scripted front door, each on a port."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from loopwright.api.policy.v1.policy_service_pb2_grpc import add_PolicyServiceServicer_to_server
from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import (
    RecommenderServiceServicer,
    add_RecommenderServiceServicer_to_server,
)
from loopwright.cli.main import app
from loopwright.domain.enums import Scheme, Source
from loopwright.eventlog import MemoryBroker, MemoryEventLog
from loopwright.faults import DecisionNotFound, UnknownSurface
from loopwright.lifecycle import process_over
from loopwright.localmesh.mesh import own_record
from loopwright.localmesh.run_file import RunFile
from loopwright.pipeline.answer import Answer, RecommendedItem
from loopwright.pipeline.convert.answer import answer_to_proto
from loopwright.pipeline.types import Degradation, Versions
from loopwright.policy.bootstrap import bootstrap
from loopwright.policy.config import PolicySettings
from loopwright.rpc import Mount, RpcSettings, serving


def listed(*names: str, degradations: tuple[Degradation, ...] = (), policy: str = "p" * 64) -> Answer:
    """Return an answer that shows these items."""
    items = tuple(
        RecommendedItem(name, place, (Source.TRENDING,), 1.0, 1.0, Scheme.NONE)
        for place, name in enumerate(names, start=1)
    )
    return Answer(bytes(16), Versions(policy, index_epoch="e" * 32), "", items, degradations, 1_000)


@dataclass
class ScriptedFrontDoor(RecommenderServiceServicer):
    """Answers by script and remembers what it was asked."""

    answer: Callable[[pb.RecommendRequest], Answer] = lambda request: listed("a", "b")
    decisions: dict[str, pb.ExplainResponse] = field(default_factory=dict)
    asked: list[pb.RecommendRequest] = field(default_factory=list)

    async def Recommend(self, request: pb.RecommendRequest, context: Any) -> pb.RecommendResponse:
        self.asked.append(request)
        if request.surface != "home":
            raise UnknownSurface()
        return answer_to_proto(self.answer(request))

    async def Explain(self, request: pb.ExplainRequest, context: Any) -> pb.ExplainResponse:
        if request.decision_id not in self.decisions:
            raise DecisionNotFound()
        return self.decisions[request.decision_id]


@dataclass
class FakeMesh:
    """The folder, the scripted front door, and the log that policy writes."""

    data_dir: Path
    door: ScriptedFrontDoor
    broker: MemoryBroker
    addresses: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Result:
        """Run a command on this folder."""
        return CliRunner().invoke(app, [*arguments, "--data-dir", str(self.data_dir)])


class _Served:
    """Runs both services in a loop of their own, as the commands run theirs."""

    def __init__(self, mesh: FakeMesh) -> None:
        self._mesh = mesh
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()
        self._ready.wait(30)
        if self._failure is not None:
            raise self._failure

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        settings = PolicySettings(rpc=RpcSettings(port=0))
        quick = RpcSettings(grace_s=0.1)
        log = MemoryEventLog(self._mesh.broker, producer="policy")
        async with AsyncExitStack() as stack:
            process = await stack.enter_async_context(process_over(log, "policy", settings))
            policy = await stack.enter_async_context(bootstrap(settings, process))
            policies = Mount(add_PolicyServiceServicer_to_server, policy.policies)
            door = Mount(add_RecommenderServiceServicer_to_server, self._mesh.door)
            self._mesh.addresses["policy"] = (await stack.enter_async_context(serving([policies], quick))).target
            self._mesh.addresses["recommender"] = (await stack.enter_async_context(serving([door], quick))).target
            self._ready.set()
            await self._stop.wait()


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[FakeMesh]:
    made = FakeMesh(tmp_path / "mesh", ScriptedFrontDoor(), MemoryBroker())
    with _Served(made):
        addresses = {**made.addresses, "kafka": "127.0.0.1:1", "redis": "redis://127.0.0.1:1/0"}
        RunFile(supervisor=own_record("supervisor"), addresses=addresses).write(made.data_dir)
        yield made

"""The services of a one-process mesh behind real gRPC servers, and a front door that reaches its leaves over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from loopwright.api.exposure.v1.exposure_service_pb2_grpc import ExposureServiceStub
from loopwright.api.ingest.v1.ingest_service_pb2_grpc import (
    IngestServiceStub,
    add_IngestServiceServicer_to_server,
)
from loopwright.api.policy.v1.policy_service_pb2_grpc import PolicyServiceStub, add_PolicyServiceServicer_to_server
from loopwright.api.policy.v1.slate_service_pb2_grpc import add_SlateServiceServicer_to_server
from loopwright.api.ranking.v1.ranking_service_pb2_grpc import add_RankingServiceServicer_to_server
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import (
    RecommenderServiceStub,
    add_RecommenderServiceServicer_to_server,
)
from loopwright.api.retrieval.v1.retrieval_service_pb2_grpc import add_RetrievalServiceServicer_to_server
from loopwright.exposure.server import mounts as exposure_mounts
from loopwright.hydration.server import mounts as hydration_mounts
from loopwright.lifecycle import process_over
from loopwright.localmesh.composition import OneProcess
from loopwright.recommender.bootstrap import Recommender, bootstrap
from loopwright.recommender.config import RecommenderSettings
from loopwright.recommender.front_door import Dice
from loopwright.rpc import Mount, RpcSettings, open_channel, serving

RPC = RpcSettings(grace_s=0)


@dataclass(frozen=True)
class Served:
    """Addresses by service, stubs of the public services, and the front door that calls over gRPC."""

    targets: dict[str, str]
    recommender: RecommenderServiceStub
    exposure: ExposureServiceStub
    ingest: IngestServiceStub
    policy: PolicyServiceStub
    front: Recommender


@asynccontextmanager
async def served(mesh: OneProcess, dice: Dice | None = None) -> AsyncIterator[Served]:
    """Serve a mesh on loopback ports."""
    found = mesh.services
    leaves: dict[str, list[Mount]] = {
        "hydration": hydration_mounts(found.hydration.hydrator),
        "retrieval": [Mount(add_RetrievalServiceServicer_to_server, found.retrieval.servicer)],
        "ranking": [Mount(add_RankingServiceServicer_to_server, found.ranking.servicer)],
        "policy": [
            Mount(add_SlateServiceServicer_to_server, found.policy.slates),
            Mount(add_PolicyServiceServicer_to_server, found.policy.policies),
        ],
        "exposure": exposure_mounts(found.exposure),
        "ingest": [Mount(add_IngestServiceServicer_to_server, found.ingest.servicer)],
    }
    async with AsyncExitStack() as stack:
        targets: dict[str, str] = {}
        for name, mounts in leaves.items():
            targets[name] = (await stack.enter_async_context(serving(mounts, RPC))).target
        named = {f"{name}_target": target for name, target in targets.items() if name != "ingest"}
        settings = RecommenderSettings(replica="recommender-1", **named)
        log, wall_ms = mesh.log("recommender"), mesh.broker.wall_ms
        process = await stack.enter_async_context(process_over(log, "recommender", settings, wall_ms=wall_ms))
        front = await stack.enter_async_context(bootstrap(settings, process, dice))
        mounts = [Mount(add_RecommenderServiceServicer_to_server, front.servicer)]
        targets["recommender"] = (await stack.enter_async_context(serving(mounts, RPC))).target

        async def stub(make: Any, name: str) -> Any:
            return make(await stack.enter_async_context(open_channel(targets[name])))

        yield Served(
            targets,
            await stub(RecommenderServiceStub, "recommender"),
            await stub(ExposureServiceStub, "exposure"),
            await stub(IngestServiceStub, "ingest"),
            await stub(PolicyServiceStub, "policy"),
            front,
        )

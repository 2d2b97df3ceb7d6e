"""The public API as the world uses it: slates from the front door, impressions and actions to exposure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from loopwright.api.exposure.v1 import exposure_service_pb2 as exposure_pb
from loopwright.api.exposure.v1.exposure_service_pb2_grpc import ExposureServiceStub
from loopwright.api.recommender.v1 import recommender_service_pb2 as recommender_pb
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import RecommenderServiceStub
from loopwright.domain.enums import ActionKind, Exploration, Purpose
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.answer import answer_from_proto
from loopwright.pipeline.convert.parsing import number
from loopwright.rpc import open_channel
from loopwright.simulator.config import SimulatorSettings
from loopwright.simulator.world import Visit

CLIENT_VERSION = "simulator"


@dataclass(frozen=True, slots=True)
class Act:
    """One action on a shown item."""

    token: str
    client_event_id: str
    kind: ActionKind


class Mesh(Protocol):
    """What the world needs of the mesh; `MeshClient` has it, tests bring their own."""

    async def serve(self, visit: Visit, k: int) -> Answer:
        """Return the slate of a visit."""
        ...

    async def viewed(self, client_event_id: str, tokens: Sequence[str]) -> None:
        """Report what came into view."""
        ...

    async def acted(self, acts: Sequence[Act]) -> None:
        """Report what was done."""
        ...


class MeshClient:
    """RecommenderService and ExposureService over gRPC."""

    def __init__(self, recommender: Any, exposure: Any, surface: str, timeout_s: float) -> None:
        """Take open channels."""
        self._recommender = RecommenderServiceStub(recommender)
        self._exposure = ExposureServiceStub(exposure)
        self._surface = surface
        self._timeout_s = timeout_s

    async def serve(self, visit: Visit, k: int) -> Answer:
        """Return the slate of a visit, purpose SERVE: the world is the mesh's whole audience.

        Raises:
            RemoteFault: The front door refused, or did not answer in time.
        """
        request = recommender_pb.RecommendRequest(
            request_id=visit.request_id,
            user_id=visit.user_id,
            surface=self._surface,
            session_id=visit.session_id,
            k=k,
            client_version=CLIENT_VERSION,
            purpose=number(Purpose.SERVE),
            exploration=number(Exploration.BUNDLE),
        )
        return answer_from_proto(await self._recommender.Recommend(request, timeout=self._timeout_s))

    async def viewed(self, client_event_id: str, tokens: Sequence[str]) -> None:
        """Report items of one slate as seen.

        Raises:
            RemoteFault: Exposure refused, or did not answer in time.
        """
        request = exposure_pb.ReportImpressionsRequest(
            client_event_id=client_event_id,
            impressions=[exposure_pb.Impression(exposure_token=token, seen=True) for token in tokens],
        )
        await self._exposure.ReportImpressions(request, timeout=self._timeout_s)

    async def acted(self, acts: Sequence[Act]) -> None:
        """Report actions.

        Raises:
            RemoteFault: Exposure refused, or did not answer in time.
        """
        actions = [
            exposure_pb.Action(exposure_token=a.token, client_event_id=a.client_event_id, kind=number(a.kind))
            for a in acts
        ]
        await self._exposure.ReportActions(exposure_pb.ReportActionsRequest(actions=actions), timeout=self._timeout_s)


@asynccontextmanager
async def mesh_client(settings: SimulatorSettings, surface: str) -> AsyncIterator[MeshClient]:
    """Open the public API."""
    async with open_channel(settings.recommender_target, settings.channels) as recommender:
        async with open_channel(settings.exposure_target, settings.channels) as exposure:
            yield MeshClient(recommender, exposure, surface, settings.call_timeout_s)

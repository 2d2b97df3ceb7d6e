"""IngestService over gRPC: parse, call the intake or the clock, map, return."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc

from loopwright.api.ingest.v1 import ingest_service_pb2 as pb
from loopwright.api.ingest.v1.ingest_service_pb2_grpc import IngestServiceServicer
from loopwright.eventlog import ORGANIC
from loopwright.ingest import convert
from loopwright.ingest.batches import BatchNumbers
from loopwright.ingest.clock_setting import ClockSetter
from loopwright.ingest.intake import Intake
from loopwright.ingest.times import DEDUP_WINDOW_MS
from loopwright.ingest.watermarks import Watermarks
from loopwright.lifecycle import MeshClock
from loopwright.rpc import Deadline

Context = grpc.aio.ServicerContext[Any, Any]


class IngestServicer(IngestServiceServicer):
    """The one door through which facts enter the log that no slate of ours caused."""

    def __init__(self, intake: Intake, setter: ClockSetter, marks: Watermarks, clock: MeshClock) -> None:
        self._intake, self._setter, self._marks, self._clock = intake, setter, marks, clock

    async def IngestItems(
        self, request_iterator: AsyncIterator[pb.IngestItemsRequest], context: Context
    ) -> AsyncIterator[pb.IngestItemsResponse]:
        """Answer each batch of items when it is durable."""
        deadline, numbers = Deadline.of(context), BatchNumbers()
        async for request in request_iterator:
            batch = numbers.take(request.batch)
            receipt = await self._intake.items(convert.items_from_proto(request), deadline)
            refused = convert.rejections_of(receipt)
            yield pb.IngestItemsResponse(batch=batch, accepted=receipt.accepted, rejections=refused)

    async def IngestProfiles(
        self, request_iterator: AsyncIterator[pb.IngestProfilesRequest], context: Context
    ) -> AsyncIterator[pb.IngestProfilesResponse]:
        """Answer each batch of profiles when it is durable."""
        deadline, numbers = Deadline.of(context), BatchNumbers()
        async for request in request_iterator:
            batch = numbers.take(request.batch)
            receipt = await self._intake.profiles(convert.profiles_from_proto(request), deadline)
            refused = convert.rejections_of(receipt)
            yield pb.IngestProfilesResponse(batch=batch, accepted=receipt.accepted, rejections=refused)

    async def IngestInteractions(
        self, request_iterator: AsyncIterator[pb.IngestInteractionsRequest], context: Context
    ) -> AsyncIterator[pb.IngestInteractionsResponse]:
        """Answer each batch of interactions when it is durable."""
        deadline, numbers = Deadline.of(context), BatchNumbers()
        async for request in request_iterator:
            batch = numbers.take(request.batch)
            rows = convert.interactions_from_proto(request)
            receipt = await self._intake.interactions(rows, request.surface, deadline)
            refused = convert.rejections_of(receipt)
            yield pb.IngestInteractionsResponse(batch=batch, accepted=receipt.accepted, rejections=refused)

    async def WithdrawItem(self, request: pb.WithdrawItemRequest, context: Context) -> pb.WithdrawItemResponse:
        """Take an item out of every list."""
        await self._intake.withdraw(request.item_id, request.reason, Deadline.of(context))
        return pb.WithdrawItemResponse()

    async def ChangeInventory(self, request: pb.ChangeInventoryRequest, context: Context) -> pb.ChangeInventoryResponse:
        """State an item's stock."""
        await self._intake.change_inventory(request.item_id, request.available, Deadline.of(context))
        return pb.ChangeInventoryResponse()

    async def LabelSafety(self, request: pb.LabelSafetyRequest, context: Context) -> pb.LabelSafetyResponse:
        """State whether an item may be shown."""
        await self._intake.label_safety(request.item_id, request.safe, request.reason, Deadline.of(context))
        return pb.LabelSafetyResponse()

    async def UpdateCreatorRelation(
        self, request: pb.UpdateCreatorRelationRequest, context: Context
    ) -> pb.UpdateCreatorRelationResponse:
        """State how a user stands to a creator."""
        relation = convert.relation_from_proto(request)
        await self._intake.relate(
            request.user_id, request.creator, relation, request.client_event_id, Deadline.of(context)
        )
        return pb.UpdateCreatorRelationResponse()

    async def EraseSubject(self, request: pb.EraseSubjectRequest, context: Context) -> pb.EraseSubjectResponse:
        """Record that a user asked to be forgotten."""
        await self._intake.erase(request.user_id, Deadline.of(context))
        return pb.EraseSubjectResponse()

    async def SetClock(self, request: pb.SetClockRequest, context: Context) -> pb.SetClockResponse:
        """Set mesh time."""
        mesh_ms = convert.clock_from_proto(request)
        return convert.clock_to_proto(await self._setter.set(mesh_ms, request.cause, Deadline.of(context)))

    async def GetWatermarks(self, request: pb.GetWatermarksRequest, context: Context) -> pb.GetWatermarksResponse:
        """Say how far the log reaches."""
        await self._marks.refresh(Deadline.of(context))
        return convert.watermarks_to_proto(
            self._clock.now_ms(),
            self._marks.newest_ms(),
            self._marks.newest_ms(ORGANIC),
            window_ms=DEDUP_WINDOW_MS,
            fixed=self._marks.clock_fixed,
        )

"""The RPCs of hydration: parse, call the domain object, map, return."""

from __future__ import annotations

from typing import Any

import grpc

from loopwright.api.hydration.v1 import hydration_service_pb2 as pb
from loopwright.api.hydration.v1.hydration_service_pb2_grpc import HydrationServiceServicer
from loopwright.hydration.convert import (
    item_columns_to_proto,
    item_query_from_proto,
    user_context_to_proto,
    user_query_from_proto,
)
from loopwright.hydration.hydrator import Hydrator
from loopwright.rpc import Deadline

Context = grpc.aio.ServicerContext[Any, Any]


class HydrationServicer(HydrationServiceServicer):
    """Feature values at request time."""

    def __init__(self, hydrator: Hydrator) -> None:
        """Take the domain object."""
        self._hydrator = hydrator

    async def GetUserContext(self, request: pb.GetUserContextRequest, context: Context) -> pb.GetUserContextResponse:
        """Read the user in one round trip; see `Hydrator.user_context`."""
        query = user_query_from_proto(request)
        return user_context_to_proto(await self._hydrator.user_context(query, Deadline.of(context)))

    async def GetItemColumns(self, request: pb.GetItemColumnsRequest, context: Context) -> pb.GetItemColumnsResponse:
        """Return one packed matrix for all candidates; see `Hydrator.item_columns`."""
        query = item_query_from_proto(request)
        return item_columns_to_proto(await self._hydrator.item_columns(query, Deadline.of(context)))

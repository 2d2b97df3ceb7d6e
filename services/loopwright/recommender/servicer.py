"""RecommenderService over gRPC: parse, call the front door or the log, map, return."""

from __future__ import annotations

from typing import Any

from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.api.recommender.v1.recommender_service_pb2_grpc import RecommenderServiceServicer
from loopwright.pipeline.convert.answer import answer_to_proto
from loopwright.pipeline.convert.request import request_from_proto
from loopwright.recommender.convert import candidate_ids, explanation
from loopwright.recommender.explain import DecisionReader
from loopwright.recommender.front_door import FrontDoor
from loopwright.recommender.names import ItemNames
from loopwright.rpc import Deadline


class RecommenderServicer(RecommenderServiceServicer):
    """The public face of the mesh."""

    def __init__(self, door: FrontDoor, reader: DecisionReader, items: ItemNames, subject_key: bytes) -> None:
        """Take the front door, the reader of decisions, the names of items, and the key of the subject hash."""
        self._door = door
        self._reader = reader
        self._items = items
        self._subject_key = subject_key

    async def Recommend(self, request: pb.RecommendRequest, context: Any) -> pb.RecommendResponse:
        """Return one slate whose record is durable."""
        parsed = request_from_proto(request, self._subject_key)
        return answer_to_proto(await self._door.recommend(parsed, Deadline.of(context)))

    async def Explain(self, request: pb.ExplainRequest, context: Any) -> pb.ExplainResponse:
        """Return the record of a decision, read from the log."""
        deadline = Deadline.of(context)
        recorded = await self._reader.read(bytes.fromhex(request.decision_id), deadline)
        event, funnel = recorded.event, recorded.funnel
        ids = candidate_ids(event, funnel)
        named = await self._items.external_ids(ids, event.versions.policy_version, deadline)
        return explanation(event, funnel, named)

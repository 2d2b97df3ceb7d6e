"""RankingService over gRPC: parse, call the domain object, map, return."""

from __future__ import annotations

from typing import Any

from loopwright.api.ranking.v1 import ranking_service_pb2 as pb
from loopwright.api.ranking.v1.ranking_service_pb2_grpc import RankingServiceServicer
from loopwright.pipeline.stages import ScoreStage
from loopwright.ranking.convert import query_from_proto, response_to_proto
from loopwright.rpc import Deadline


class RankingServicer(RankingServiceServicer):
    """The request path's face of ranking."""

    def __init__(self, ranker: ScoreStage) -> None:
        """Takes the ranker."""
        self._ranker = ranker

    async def Score(self, request: pb.ScoreRequest, context: Any) -> pb.ScoreResponse:
        """Return scores in request order."""
        return response_to_proto(await self._ranker.score(query_from_proto(request), Deadline.of(context)))

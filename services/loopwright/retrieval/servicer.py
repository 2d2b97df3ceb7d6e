"""RetrievalService over gRPC: parse, call the domain object, map, return."""

from __future__ import annotations

from typing import Any

from loopwright.api.retrieval.v1 import retrieval_service_pb2 as pb
from loopwright.api.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceServicer
from loopwright.pipeline.stages import CandidateStage
from loopwright.retrieval.convert import query_from_proto, response_to_proto
from loopwright.rpc import Deadline


class RetrievalServicer(RetrievalServiceServicer):
    """The request path's face of retrieval."""

    def __init__(self, retriever: CandidateStage) -> None:
        """Takes the retriever."""
        self._retriever = retriever

    async def Retrieve(self, request: pb.RetrieveRequest, context: Any) -> pb.RetrieveResponse:
        """Return merged candidates with provenance."""
        return response_to_proto(await self._retriever.retrieve(query_from_proto(request), Deadline.of(context)))

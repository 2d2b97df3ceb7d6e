from dataclasses import replace

import numpy as np
import pytest

from loopwright.api.retrieval.v1.retrieval_service_pb2_grpc import (
    RetrievalServiceStub,
    add_RetrievalServiceServicer_to_server,
)
from loopwright.domain.enums import Source
from loopwright.faults import BundleNotLoaded, RemoteFault
from loopwright.pipeline.convert.candidates import candidate_set_from_proto, retrieval_query_to_proto
from loopwright.pipeline.types import CandidateSet, RetrievalQuery, SourcePlan, SourceReport
from loopwright.retrieval.servicer import RetrievalServicer
from loopwright.rpc import Deadline, Mount, RpcSettings, open_channel, serving

from .conftest import history_of, query


class Echo:
    """Proposes the request's history under the bundle `p`."""

    async def retrieve(self, query: RetrievalQuery, deadline: Deadline) -> CandidateSet:
        if query.policy_version != "p":
            raise BundleNotLoaded()
        n, s = len(query.history.item_ids), len(query.sources)
        reports = tuple(SourceReport(plan.source, n, 1, False, "") for plan in query.sources)
        zeros = np.zeros((n, s), np.float32)
        return CandidateSet(
            query.history.item_ids, zeros[:, 0], zeros.astype(np.uint16), zeros, zeros[:, :1], ("x",), reports, "e"
        )


async def test_candidates_travel_and_refusals_carry_their_reason() -> None:
    mount = Mount(add_RetrievalServiceServicer_to_server, RetrievalServicer(Echo()))
    good = query(history=history_of(4, 2))
    async with serving([mount], RpcSettings()) as server, open_channel(server.target) as channel:
        stub = RetrievalServiceStub(channel)
        found = candidate_set_from_proto(await stub.Retrieve(retrieval_query_to_proto(good), timeout=5))
        assert found.item_ids.tolist() == [4, 2] and found.index_epoch == "e"
        twice = (SourcePlan(Source.FRESH, 1, 1.0, 1),) * 2
        for bad, reason in [
            (replace(good, policy_version="q"), "BUNDLE_NOT_LOADED"),
            (replace(good, policy_version=""), "INVALID_REQUEST"),
            (replace(good, sources=()), "INVALID_REQUEST"),
            (replace(good, sources=twice), "INVALID_REQUEST"),
            (replace(good, max_candidates=0), "INVALID_REQUEST"),
        ]:
            with pytest.raises(RemoteFault) as refused:
                await stub.Retrieve(retrieval_query_to_proto(bad), timeout=5)
            assert refused.value.reason == reason

import pytest
from tests.tiny_models import HEADS

from loopwright.api.ranking.v1.ranking_service_pb2_grpc import (
    RankingServiceStub,
    add_RankingServiceServicer_to_server,
)
from loopwright.faults import RemoteFault
from loopwright.pipeline.convert.scores import score_query_to_proto, scores_from_proto
from loopwright.ranking.servicer import RankingServicer
from loopwright.rpc import Mount, RpcSettings, open_channel, serving

from .conftest import GROUPS, Rig


async def test_scores_travel_and_refusals_carry_their_reason(rig: Rig) -> None:
    mount = Mount(add_RankingServiceServicer_to_server, RankingServicer(rig.ranker))
    async with serving([mount], RpcSettings()) as server, open_channel(server.target) as channel:
        stub = RankingServiceStub(channel)
        scores = scores_from_proto(await stub.Score(score_query_to_proto(rig.query()), timeout=5))
        assert scores.head_names == HEADS and scores.pre_scores.shape == (7,) and scores.heads.shape == (3, 2)
        for query, reason in [
            (rig.query(policy_version="unknown"), "BUNDLE_NOT_LOADED"),
            (rig.query(feature_groups=GROUPS[1:]), "MODEL_FEATURE_MISMATCH"),
            (rig.query(best_n=0), "INVALID_REQUEST"),
            (rig.query(position=0), "INVALID_REQUEST"),
        ]:
            with pytest.raises(RemoteFault) as refused:
                await stub.Score(score_query_to_proto(query), timeout=5)
            assert refused.value.reason == reason

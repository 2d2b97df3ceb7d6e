"""Ranking's query and scores to and from messages."""

from __future__ import annotations

import numpy as np

from loopwright.api.ranking.v1 import ranking_service_pb2 as pb
from loopwright.pipeline.convert.parsing import answer_of, invalid
from loopwright.pipeline.convert.tensors import distinct_rows, from_tensor, to_tensor
from loopwright.pipeline.types import ScoreQuery, Scores


def score_query_to_proto(query: ScoreQuery) -> pb.ScoreRequest:
    """Return the query as a request."""
    return pb.ScoreRequest(
        policy_version=query.policy_version,
        pre_ranker_version=query.pre_ranker_version,
        ranker_version=query.ranker_version,
        feature_groups=query.feature_groups,
        item_ids=to_tensor(query.item_ids),
        user_columns=to_tensor(query.user_columns),
        item_columns=to_tensor(query.item_columns),
        signals=to_tensor(query.signals),
        position=query.position,
        best_n=query.best_n,
    )


def score_query_from_proto(request: pb.ScoreRequest) -> ScoreQuery:
    """Return the request as a query.

    Raises:
        InvalidRequest: A tensor is malformed or its rows are not one a candidate.
    """
    item_ids = from_tensor(request.item_ids, "item_ids", np.uint64)
    n = len(item_ids)
    return ScoreQuery(
        policy_version=request.policy_version,
        pre_ranker_version=request.pre_ranker_version,
        ranker_version=request.ranker_version,
        feature_groups=tuple(request.feature_groups),
        item_ids=item_ids,
        user_columns=from_tensor(request.user_columns, "user_columns", np.float16),
        item_columns=from_tensor(request.item_columns, "item_columns", np.float16, (n, None)),
        signals=from_tensor(request.signals, "signals", np.float32, (n, None)),
        position=request.position,
        best_n=request.best_n,
    )


def scores_to_proto(scores: Scores) -> pb.ScoreResponse:
    """Return the scores as an answer."""
    return pb.ScoreResponse(
        pre_scores=to_tensor(scores.pre_scores),
        best=to_tensor(scores.best),
        heads=to_tensor(scores.heads),
        head_names=scores.head_names,
    )


def scores_from_proto(message: pb.ScoreResponse) -> Scores:
    """Return the answer as scores.

    Raises:
        Internal: The answer is malformed, or an index of the best is out of range or twice there.
    """
    with answer_of("ranking"):
        pre_scores = from_tensor(message.pre_scores, "pre_scores", np.float32)
        best = from_tensor(message.best, "best", np.uint32)
        if not distinct_rows(best, len(pre_scores)):
            raise invalid("best", "indices", "must be distinct indices of candidates")
        return Scores(
            pre_scores=pre_scores,
            best=best,
            heads=from_tensor(message.heads, "heads", np.float32, (len(best), len(message.head_names))),
            head_names=tuple(message.head_names),
        )

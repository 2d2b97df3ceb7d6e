"""Requests and responses of a wanted size; both ends of the benchmark make the same ones from a seed."""

from __future__ import annotations

import random
from typing import Any

from loopwright.api.common.v1.tensor_pb2 import DTYPE_FLOAT16, DTYPE_FLOAT32, DTYPE_UINT64, Tensor
from loopwright.api.ranking.v1.ranking_service_pb2 import ScoreRequest, ScoreResponse

SEED = 7
SIZES = {"100 B": 100, "10 KB": 10_000, "150 KB": 150_000}
"""Name -> bytes on the wire, each way."""


def score_request(size: int) -> ScoreRequest:
    """Return a valid request of `size` bytes, give or take a few; `position` tells the server which size it is."""
    request = ScoreRequest(
        policy_version="p",
        pre_ranker_version="p",
        ranker_version="r",
        feature_groups=["g"],
        item_ids=_tensor(DTYPE_UINT64, 8),
        user_columns=_tensor(DTYPE_FLOAT16, 2),
        signals=_tensor(DTYPE_FLOAT32, 4),
        item_columns=Tensor(dtype=DTYPE_FLOAT16),
        position=list(SIZES.values()).index(size) + 1,
        best_n=1,
    )
    _fill(request, request.item_columns, size)
    return request


def score_response(size: int) -> ScoreResponse:
    """Return a response of `size` bytes, give or take a few."""
    response = ScoreResponse(heads=Tensor(dtype=DTYPE_FLOAT32))
    _fill(response, response.heads, size)
    return response


def _fill(message: ScoreRequest | ScoreResponse, tensor: Tensor, size: int) -> None:
    """Fill the tensor so that the message gets its size."""
    missing = size - message.ByteSize()
    tensor.CopyFrom(_tensor(tensor.dtype, missing))
    over = message.ByteSize() - size
    tensor.CopyFrom(_tensor(tensor.dtype, max(0, missing - over)))


def _tensor(dtype: int, size: int) -> Tensor:
    number: Any = dtype
    return Tensor(dtype=number, shape=[size], data=random.Random(SEED).randbytes(size))

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.events.v1 import decision_pb2 as pb
from loopwright.faults import CorruptRecord
from loopwright.pipeline.convert.funnel import PART_BYTES, pack_funnel, unpack_funnel
from loopwright.pipeline.convert.tensors import to_tensor


def funnel(seed: int, n: int) -> pb.Funnel:
    ids = np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)
    return pb.Funnel(candidates=pb.Candidates(item_ids=to_tensor(ids)))


@given(seed=st.integers(0, 2**32), n=st.integers(0, 2000), part=st.integers(1, 5000))
def test_a_funnel_comes_back_from_parts_of_any_size(seed, n, part):
    whole = funnel(seed, n)
    parts = pack_funnel(whole.SerializeToString(), part)
    assert max(map(len, parts)) <= part
    assert unpack_funnel(parts) == whole


def test_an_empty_funnel_still_has_a_part():
    assert len(pack_funnel(b"")) == 1


def test_no_part_is_larger_than_half_a_mebibyte():
    parts = pack_funnel(funnel(1, 200_000).SerializeToString())
    assert len(parts) > 1
    assert max(map(len, parts)) <= PART_BYTES == 524_288


@pytest.mark.parametrize("damage", [lambda p: p[:-1], lambda p: p[1:], lambda p: [p[1], p[0], *p[2:]], lambda p: []])
def test_missing_or_swapped_parts_are_corrupt(damage):
    parts = pack_funnel(funnel(2, 1000).SerializeToString(), 1000)
    with pytest.raises(CorruptRecord):
        unpack_funnel(damage(parts))

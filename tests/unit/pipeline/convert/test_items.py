from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.api.hydration.v1 import hydration_service_pb2 as pb
from loopwright.domain.enums import DegradationReason, Stage
from loopwright.domain.texts import texts_of
from loopwright.faults import Internal, InvalidRequest
from loopwright.pipeline.convert.items import (
    item_columns_from_proto,
    item_columns_to_proto,
    item_query_from_proto,
    item_query_to_proto,
    pack_texts,
    unpack_texts,
)
from loopwright.pipeline.types import CrossContext, Degradation, ItemColumns, ItemQuery

SEEDS = st.integers(0, 2**32)


def columns(make, texts):
    n = len(texts)
    return ItemColumns(
        columns=make(np.float16, n, 5),
        group_ages_s=make(np.uint32, n, 2),
        group_mask=make(np.uint8, n, 2),
        creator_ids=make(np.uint64, n),
        first_tag_ids=make(np.uint64, n),
        eligibility=make(np.uint8, n),
        content=make(np.float16, n, 16),
        external_ids=texts,
        degradations=(Degradation(Stage.HYDRATE_ITEMS, DegradationReason.STALE_FEATURES, "item_counts.v1"),),
    )


@given(seed=SEEDS, n=st.integers(0, 6))
def test_a_query_survives_the_wire(arrays, same, seed, n):
    make = arrays(seed)
    vector, ids = make(np.float32, n), make(np.uint64, n)
    query = ItemQuery("p" * 64, ids, 99, ("a.v1",), CrossContext(vector, ids, vector, ids, vector, vector, ""))
    request = pb.GetItemColumnsRequest.FromString(item_query_to_proto(query).SerializeToString())
    assert same(item_query_from_proto(request), query)


@given(seed=SEEDS, texts=st.lists(st.text(max_size=5), max_size=5).map(tuple))
def test_packed_columns_survive_the_wire(arrays, same, seed, texts):
    whole = columns(arrays(seed), texts_of(text.encode() for text in texts))
    answer = pb.GetItemColumnsResponse.FromString(item_columns_to_proto(whole).SerializeToString())
    assert same(item_columns_from_proto(answer), whole)
    assert tuple(whole.external_ids) == texts


@pytest.mark.parametrize("offsets", [[1, 3], [0, 4], [0, 2, 1, 3]])
def test_offsets_that_do_not_cover_the_texts_are_refused(offsets):
    with pytest.raises(InvalidRequest):
        unpack_texts(b"abc", np.array(offsets, dtype=np.uint32), "external_ids")


def test_an_offset_within_a_character_is_refused():
    data = pack_texts(("é",)).data
    with pytest.raises(InvalidRequest):
        unpack_texts(data, np.array([0, 1, 2], dtype=np.uint32), "external_ids")


def test_an_answer_with_a_missing_row_is_hydrations_fault(arrays):
    answer = item_columns_to_proto(columns(arrays(1), ("a", "b")))
    answer.eligibility.CopyFrom(item_columns_to_proto(columns(arrays(1), ("a",))).eligibility)
    with pytest.raises(Internal, match="eligibility"):
        item_columns_from_proto(answer)

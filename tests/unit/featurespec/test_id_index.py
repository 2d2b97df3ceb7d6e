import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.featurespec.id_index import IdIndex

IDS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=400)


@given(ids=IDS, cut=st.integers(0, 400), others=IDS)
def test_every_id_has_the_row_of_its_arrival_and_others_have_none(ids: list[int], cut: int, others: list[int]) -> None:
    index = IdIndex()
    for part in (ids[:cut], ids[cut:]):
        index.extend(np.array(part, dtype=np.uint64))
    rows = {item: row for row, item in enumerate(ids)}
    asked = [*others, *ids, *ids[:3]]
    found = index.rows_of(np.array(asked, dtype=np.uint64))
    assert found.tolist() == [rows.get(item, -1) for item in asked]
    assert len(index) == len(ids)


def test_ids_that_meet_in_one_place_are_told_apart() -> None:
    spread = pow(0x9E37_79B9_7F4A_7C15, -1, 1 << 64)
    together = [place * spread % (1 << 64) for place in range(100)]  # their products are 0..99: one place for all
    index = IdIndex()
    for item in together:
        index.extend(np.array([item], dtype=np.uint64))
    assert index.rows_of(np.array(together, dtype=np.uint64)).tolist() == list(range(100))
    assert index.rows_of(np.array([100 * spread % (1 << 64)], dtype=np.uint64)).tolist() == [-1]

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.pipeline.cut import best_rows


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0.0, 0.5, 1.0])), unique_by=lambda row: row[0]),
    st.integers(1, 12),
)
def test_the_best_are_ordered_by_score_with_ties_by_item_id(rows: list[tuple[int, float]], best_n: int) -> None:
    ids, scores = np.array([r[0] for r in rows], np.uint64), np.array([r[1] for r in rows], np.float32)
    expected = sorted(range(len(rows)), key=lambda i: (-rows[i][1], rows[i][0]))[:best_n]
    assert best_rows(scores, ids, best_n).tolist() == expected

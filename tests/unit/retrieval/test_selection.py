import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.retrieval.selection import best

ROWS = st.lists(
    st.tuples(st.integers(0, 2**64 - 1), st.sampled_from([-1.0, 0.0, 0.5, 2.0])), unique_by=lambda row: row[0]
)


@given(ROWS, st.integers(0, 12))
def test_the_best_come_by_score_with_ties_by_id_whatever_the_order_of_the_rows(
    rows: list[tuple[int, float]], count: int
) -> None:
    ids, scores = np.array([r[0] for r in rows], np.uint64), np.array([r[1] for r in rows], np.float32)
    expected = sorted(range(len(rows)), key=lambda i: (-rows[i][1], rows[i][0]))[:count]
    assert best(ids, scores, count).tolist() == expected

import numpy as np

from loopwright.featurespec import rings


def ring_of(buckets: list[int], size: int = 5) -> tuple[np.ndarray, np.ndarray]:
    ring, heads = np.zeros((1, 1, size), dtype=np.uint32), np.full(1, -1, dtype=np.int64)
    for bucket in buckets:
        rings.add(ring, heads, np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([bucket]))
    return ring, heads


def test_buckets_stand_newest_first_and_the_oldest_leave() -> None:
    ring, heads = ring_of([10, 12, 12, 8, 3])
    assert heads.tolist() == [12]
    assert ring[0, 0].tolist() == [2, 0, 1, 0, 1]
    assert ring_of([3, 8, 10, 12, 12])[0].tolist() == ring.tolist()


def test_a_ring_as_of_an_earlier_bucket_lacks_the_later_ones() -> None:
    ring, heads = ring_of([10, 12, 12, 8])
    cut, cut_heads = rings.as_of(ring, heads, 11)
    assert cut_heads.tolist() == [11]
    assert cut[0, 0].tolist() == [0, 1, 0, 1, 0]
    assert ring[0, 0].tolist() == [2, 0, 1, 0, 1]
    assert rings.as_of(ring, heads, 2)[0].sum() == 0


def test_an_age_counts_from_the_middle_of_the_bucket_and_is_never_negative() -> None:
    factor = rings.head_factor(np.array([10, 9, -1, 12]), 10.25, 1.0)
    np.testing.assert_allclose(factor, [1.0, 2.0**-0.75, 0.0, 1.0])


def test_weighted_sums_are_exact_in_any_order() -> None:
    weight = rings.weights(90, 7.0)
    counts = np.arange(90) * 31 % 1009
    products = (counts * weight).tolist()
    assert sum(products) == sum(reversed(products)) == sum(sorted(products))


def test_rows_move_by_their_own_way_towards_either_end() -> None:
    block = np.arange(1, 25, dtype=np.uint32).reshape(4, 2, 3)
    moved = rings._shifted(block, np.array([0, 1, -2, 7]))
    assert moved.tolist() == [[[1, 2, 3], [4, 5, 6]], [[0, 7, 8], [0, 10, 11]], [[15, 0, 0], [18, 0, 0]], [[0] * 3] * 2]
    assert moved.dtype == np.uint32

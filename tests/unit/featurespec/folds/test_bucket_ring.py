import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.featurespec.folds.bucket_ring import BucketRing

SIZE = 5
Additions = list[tuple[int, tuple[int, int, int]]]
raises = st.tuples(*(st.integers(0, 3) for _ in range(3)))
additions = st.lists(st.tuples(st.integers(0, 12), raises), max_size=40)


def ring_of(added: Additions, packed: bytes = b"") -> BucketRing:
    ring = BucketRing(SIZE, packed)
    for bucket, raised in added:
        ring.add(bucket, raised)
    return ring


def expected(added: Additions) -> bytes:
    """Return the bytes of a map of sums, the buckets outside the ring left out at the very end."""
    sums: dict[int, list[int]] = {}
    for bucket, raised in added:
        found = sums.setdefault(bucket, [0, 0, 0])
        sums[bucket] = [count + more for count, more in zip(found, raised, strict=True)]
    newest = max(sums, default=0)
    return b"".join(struct.pack("<q3I", at, *sums[at]) for at in sorted(sums) if at > newest - SIZE)


@given(additions, st.randoms(use_true_random=False))
def test_any_order_gives_the_sums_of_the_buckets_within_the_ring(added: Additions, rng) -> None:  # type: ignore[no-untyped-def]
    assert ring_of(added).encode() == expected(added)
    rng.shuffle(added)
    assert ring_of(added).encode() == expected(added)


@given(additions, st.integers(0, 40))
def test_a_ring_read_back_goes_on_where_it_was(added: Additions, cut: int) -> None:
    first = ring_of(added[:cut]).encode()
    assert ring_of(added[cut:], first).encode() == expected(added)


def test_a_count_beyond_32_bits_is_refused() -> None:
    ring = ring_of([(1, (2**32 - 1, 0, 0))])
    with pytest.raises(struct.error):
        ring.add(1, (1, 0, 0))

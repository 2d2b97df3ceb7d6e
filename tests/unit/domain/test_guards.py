"""The one rule of who must not be shown what."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import DropReason, Eligibility, Guard
from loopwright.domain.guards import guard_bits, ineligible

NONE = np.array([], dtype=np.uint64)


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def test_each_set_sets_its_own_bit() -> None:
    bits = guard_bits(
        ids(1, 2, 3, 4, 5, 6),
        ids(0, 0, 0, 9, 0, 0),
        seen=ids(1),
        recent=ids(2, 1),
        blocked_items=ids(3),
        blocked_creators=ids(9),
        excluded=ids(5),
    )
    assert bits.tolist() == [
        Guard.SEEN | Guard.RECENT,
        Guard.RECENT,
        Guard.BLOCKED,
        Guard.BLOCKED,
        Guard.EXCLUDED,
        0,
    ]


@given(seed=st.integers(0, 2**32), n=st.integers(0, 60), spread=st.sampled_from([8, 2**13, 2**64]))
def test_every_candidate_that_a_set_holds_is_marked_and_no_other(seed: int, n: int, spread: int) -> None:
    dice = random.Random(seed)

    def some(most: int) -> np.ndarray:
        return ids(*(dice.randrange(spread) for _ in range(dice.randint(0, most))))

    items, creators = ids(*(dice.randrange(spread) for _ in range(n))), ids(*(dice.randrange(4) for _ in range(n)))
    seen, recent, hidden, excluded, blocked = some(40), some(9), some(9), some(9), ids(*range(dice.randint(0, 3)))
    bits = guard_bits(
        items, creators, seen=seen, recent=recent, blocked_items=hidden, blocked_creators=blocked, excluded=excluded
    )
    among = {Guard.SEEN: seen, Guard.RECENT: recent, Guard.BLOCKED: hidden, Guard.EXCLUDED: excluded}
    expected = sum(np.isin(items, barred).astype(np.uint8) * np.uint8(bit) for bit, barred in among.items())
    expected = expected | (np.isin(creators, blocked) & (creators != 0)).astype(np.uint8) * np.uint8(Guard.BLOCKED)
    assert bits.tolist() == expected.tolist()


def test_a_missing_creator_is_nobody_and_cannot_be_blocked() -> None:
    bits = guard_bits(
        ids(1), ids(0), seen=NONE, recent=NONE, blocked_items=NONE, blocked_creators=ids(0), excluded=NONE
    )
    assert bits.tolist() == [0]


def test_the_item_bars_before_the_user_does() -> None:
    eligibility = np.array([Eligibility.WITHDRAWN, Eligibility.OUT_OF_STOCK, Eligibility.UNSAFE, 0, 0, 8], np.uint8)
    guards = np.array([Guard.SEEN, 0, 0, Guard.SEEN | Guard.RECENT, 0, 0], np.uint8)
    assert ineligible(eligibility, guards).tolist() == [
        DropReason.WITHDRAWN,
        DropReason.OUT_OF_STOCK,
        DropReason.UNSAFE,
        DropReason.SEEN,
        DropReason.KEPT,
        DropReason.UNKNOWN_ITEM,
    ]

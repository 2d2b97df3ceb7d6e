from dataclasses import replace

import numpy as np
import pytest

from loopwright.bundle import FallbackOrder, order_of
from loopwright.eventlog import Event
from loopwright.faults import CorruptRecord
from loopwright.lifecycle import FixedClock
from loopwright.policy.convert import fallback_event


def order(*items: int, surface: str = "home", version: str = "a" * 64) -> FallbackOrder:
    ids = np.array(items, np.uint64)
    return FallbackOrder.of(surface, version, ids, ids % np.uint64(3), ids % np.uint64(2), [f"i{n}" for n in items])


def event(of: FallbackOrder) -> Event:
    return fallback_event(FixedClock(5), "policy", of)


def test_an_order_comes_back_from_its_event() -> None:
    made = order(9, 4, 7)
    back = order_of(event(made))
    assert (back.surface, back.policy_version, back.order_id) == ("home", "a" * 64, made.order_id)
    assert back.item_ids.tolist() == [9, 4, 7] and back.external_ids == ("i9", "i4", "i7")
    assert back.creator_ids.tolist() == [0, 1, 1] and back.first_tag_ids.tolist() == [1, 0, 1]


def test_the_id_tells_orders_apart_and_is_named_by_its_beginning() -> None:
    made = order(1, 2)
    others = [order(2, 1), order(1, 2, version="b" * 64), order(1, 2, surface="jobs"), order(1)]
    assert len({made.order_id, *(other.order_id for other in others)}) == 5
    assert made.epoch == made.order_id.hex() and made.epoch.startswith(made.label) and len(made.label) == 12


@pytest.mark.parametrize("field", ["item_ids", "creator_ids", "first_tag_ids", "external_ids"])
def test_lists_of_different_length_are_no_order(field: str) -> None:
    broken = event(order(1, 2, 3))
    getattr(broken.fallback_prepared, field).pop()
    with pytest.raises(CorruptRecord):
        order_of(broken)


def test_an_item_twice_a_missing_name_or_another_id_are_no_order() -> None:
    for broken in (order(1, 1), replace(order(1, 2), order_id=bytes(16))):
        with pytest.raises(CorruptRecord):
            order_of(event(broken))
    ids = np.array([1, 2], np.uint64)
    with pytest.raises(CorruptRecord):
        order_of(event(FallbackOrder.of("home", "a" * 64, ids, ids, ids, ["i1", ""])))

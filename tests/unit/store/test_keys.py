from __future__ import annotations

import re

import pytest

from loopwright.domain.ids import item_key, logical_partition
from loopwright.store import keys

SUBJECT = bytes(range(16))


def test_all_keys_of_a_user_lie_in_the_slot_of_its_logical_partition():
    tag = f"{{{logical_partition(SUBJECT)}}}"
    made = [keys.user_row(SUBJECT), keys.recent(SUBJECT), keys.stored_answer(SUBJECT, "r-1")]
    assert [re.findall(r"\{\d+\}", key) for key in made] == [[tag]] * 3
    assert len(set(made)) == 3


def test_an_items_key_lies_in_the_slot_of_its_records_key():
    assert keys.item_row(2**64 - 1) == f"item:{{{logical_partition(item_key(2**64 - 1))}}}:{2**64 - 1}"


@pytest.mark.parametrize(
    "key",
    [
        keys.user_row(SUBJECT, "test:"),
        keys.item_row(5, "test:"),
        keys.recent(SUBJECT, "test:"),
        keys.stored_answer(SUBJECT, "r", "test:"),
        keys.progress("users", "test:"),
    ],
)
def test_every_key_begins_with_the_namespace(key):
    assert key.startswith("test:")

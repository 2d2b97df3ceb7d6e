import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import LIKED_FLAG
from loopwright.faults import CorruptRecord
from loopwright.featurespec.facts import SLATE_FLAG, VIEWED, Counter, Fact, FactBatch
from loopwright.featurespec.item_counts import ItemCounts
from loopwright.featurespec.rings import DAY_MS

KINDS = (ActionKind.CLICK, ActionKind.RATE | LIKED_FLAG, ActionKind.RATE, VIEWED | SLATE_FLAG, ActionKind.HIDE)
FACTS = st.lists(
    st.builds(
        Fact,
        st.integers(0, 2),
        st.sampled_from(KINDS),
        st.floats(-2000, 2000, width=32),
        st.integers(0, 200 * DAY_MS),
    ),
    max_size=60,
)


def added(counts: ItemCounts, facts: list[Fact]) -> ItemCounts:
    batch = FactBatch.of(facts)
    counts.add(batch.item_ids.astype(np.int64), batch)
    return counts


ROWS = np.arange(3)


@settings(max_examples=60, deadline=None)
@given(FACTS, st.randoms(use_true_random=False), st.integers(1, 60))
def test_any_order_and_any_batches_give_the_same_bytes(facts: list[Fact], rng, size: int) -> None:  # type: ignore[no-untyped-def]
    whole = added(ItemCounts(3), facts).encode(ROWS)
    shuffled = list(facts)
    rng.shuffle(shuffled)
    parts = ItemCounts(3)
    for start in range(0, len(shuffled), size):
        added(parts, shuffled[start : start + size])
        states = parts.encode(ROWS)
        parts = ItemCounts(3)
        parts.decode([0, 1, 2], states)
    assert parts.encode(ROWS) == whole


@settings(max_examples=40, deadline=None)
@given(FACTS)
def test_counts_are_those_of_the_facts(facts: list[Fact]) -> None:
    counts = added(ItemCounts(3), facts)
    for row in range(3):
        mine = [fact for fact in facts if fact.item_id == row]
        engaged = [fact for fact in mine if fact.kind & 0x3F in (ActionKind.CLICK, ActionKind.RATE)]
        assert counts.totals[row, Counter.ENGAGEMENTS] == len(engaged)
        assert counts.totals[row, Counter.VIEWS] == sum(fact.kind & 0x3F == VIEWED for fact in mine)
        assert counts.totals[row, Counter.LIKES] == sum(bool(fact.kind & LIKED_FLAG) for fact in mine)
        assert counts.first_ms[row] == min((fact.time_ms for fact in engaged), default=-1)
        assert counts.last_ms[row] == max((fact.time_ms for fact in engaged), default=-1)
        assert counts.fact_ms[row] == max((fact.time_ms for fact in mine), default=-1)
        ringed = [fact for fact in mine if fact.kind != ActionKind.HIDE]
        newest = max((fact.time_ms // DAY_MS for fact in ringed), default=0)
        kept = [fact for fact in engaged if fact.time_ms // DAY_MS > newest - 90]
        assert counts.daily[row, Counter.ENGAGEMENTS].sum() == len(kept)


@pytest.mark.parametrize("broken", [b"", b"\x02" * 200, b"\x01" * 50])
def test_bytes_that_are_no_state_are_refused(broken: bytes) -> None:
    with pytest.raises(CorruptRecord):
        ItemCounts(1).decode([0], [broken])


def test_a_state_cut_short_is_refused() -> None:
    state = added(ItemCounts(1), [Fact(0, ActionKind.CLICK, 1.0, 5)]).encode(np.arange(1))[0]
    with pytest.raises(CorruptRecord):
        ItemCounts(1).decode([0], [state[:-1]])

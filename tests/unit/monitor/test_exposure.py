from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import Scheme, Source
from loopwright.monitor.exposure import CREDIT, ExposureDays
from loopwright.monitor.facts import Served, Shown
from loopwright.monitor.strays import DAY_MS

SHOWN = st.builds(
    Shown,
    st.integers(1, 4),
    st.integers(0, 2),
    st.sets(st.sampled_from(Source), min_size=1).map(tuple),
    st.sampled_from([Scheme.RANKED, Scheme.EXPLORE, Scheme.SLICE]),
)
SERVED = st.builds(
    Served,
    st.just(b"d" * 16),
    st.sampled_from(["home", "search"]),
    st.integers(0, 3 * DAY_MS),
    st.lists(SHOWN, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(["RETRIEVE/TIMEOUT", "RANK/UNAVAILABLE"]), st.just(1)),
)


@given(st.data(), st.lists(SERVED, max_size=8))
def test_the_counters_know_no_order(data: st.DataObject, facts: list[Served]) -> None:
    folded = []
    for order in (facts, data.draw(st.permutations(facts))):
        days = ExposureDays(window_days=7)
        for fact in order:
            days.apply(fact, len(fact.slate) // 2)
        folded.append(days.within(3 * DAY_MS))
    assert folded[0] == folded[1]


@given(st.lists(SERVED, max_size=8))
def test_credits_of_all_sources_add_up_to_the_positions(facts: list[Served]) -> None:
    days = ExposureDays(window_days=7)
    for fact in facts:
        days.apply(fact, 0)
    for seen in days.within(3 * DAY_MS).values():
        assert seen.credits.total() == CREDIT * seen.positions == CREDIT * seen.items.total()
        assert seen.schemes.total() == seen.positions


def test_days_that_left_the_window_count_no_more_and_are_forgotten() -> None:
    days = ExposureDays(window_days=2)
    for day in range(4):
        days.apply(Served(b"d", "home", day * DAY_MS, (), {}), 0)
    assert days.within(3 * DAY_MS)["home"].decisions == 2
    days.forget(3 * DAY_MS)
    assert days.within(DAY_MS)["home"].decisions == 2

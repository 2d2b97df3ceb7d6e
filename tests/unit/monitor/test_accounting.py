from __future__ import annotations

from collections import Counter
from dataclasses import replace
from time import process_time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import Scheme
from loopwright.monitor.accounting import STATES, Accounting
from loopwright.monitor.facts import Acted, Served, Shown, Viewed
from loopwright.monitor.strays import DAY_MS

Fact = Served | Viewed | Acted
DECISIONS = [b"a" * 16, b"b" * 16, b"c" * 16]
ITEMS = st.integers(1, 5)


def served(decision: bytes, *items: int, at_ms: int = 0) -> Served:
    return Served(decision, "home", at_ms, tuple(Shown(item, 0, (), Scheme.RANKED) for item in items), {})


FACTS = st.one_of(
    # A decision is one fact: its slate and time follow from its id.
    st.sampled_from(DECISIONS).map(lambda d: served(d, 1, 2, 3, at_ms=d[0])),
    st.builds(
        lambda d, items: Viewed(d, "home", d[0] + 5, tuple(items)),
        st.sampled_from(DECISIONS),
        st.lists(st.tuples(ITEMS, st.booleans()), max_size=4),
    ),
    st.builds(lambda d, item: Acted(d, "home", d[0] + 9, item), st.sampled_from(DECISIONS), ITEMS),
)


def totals(facts: list[Fact], now_ms: int = 110, settle: int | None = None) -> dict[str, dict[str, int]]:
    accounting = Accounting(report_window_ms=12)
    for fact in facts:
        accounting.apply(fact)
    if settle is not None:
        accounting.settle(settle)
    return accounting.totals(now_ms)


def recounted(facts: list[Fact], now_ms: int, window_ms: int) -> dict[str, dict[str, int]]:
    """Say what the totals are, from all facts at once."""
    found: dict[str, Counter[str]] = {}
    slates = {fact.decision_id: fact for fact in facts if isinstance(fact, Served)}
    bits: dict[tuple[bytes, int], set[str]] = {}
    strays = set()
    for fact in facts:
        if isinstance(fact, Served):
            continue
        items = fact.items if isinstance(fact, Viewed) else ((fact.item_id, None),)
        for item, seen in items:
            slate = slates.get(fact.decision_id)
            placed = slate is not None and item in {shown.item_id for shown in slate.slate}
            if placed and slate is not None and time_of(fact) <= slate.decided_ms + DAY_MS:
                name = "acted" if seen is None else "seen" if seen else "prefetched"
                bits.setdefault((fact.decision_id, item), set()).add(name)
            else:
                strays.add((fact.surface, fact.decision_id, item, time_of(fact) // DAY_MS))
    for slate in slates.values():
        counts = found.setdefault(slate.surface, Counter())
        silent = "pending" if now_ms - slate.decided_ms < window_ms else "unreported"
        for item in {shown.item_id for shown in slate.slate}:
            said = bits.get((slate.decision_id, item), set())
            counts["positions"] += 1
            counts["seen" if "seen" in said else "prefetched" if "prefetched" in said else silent] += 1
            counts["acted"] += "acted" in said
            counts["acted_unseen"] += "acted" in said and "seen" not in said
    for surface, *_ in strays:
        found.setdefault(surface, Counter())["unmatched"] += 1
    return {surface: {state: counts[state] for state in STATES} for surface, counts in found.items() if counts.total()}


def time_of(fact: Fact) -> int:
    if isinstance(fact, Served):
        return fact.decided_ms
    return fact.viewed_ms if isinstance(fact, Viewed) else fact.acted_ms


@given(st.data(), st.lists(FACTS, max_size=15))
def test_the_fold_knows_no_order_and_no_repetition(data: st.DataObject, facts: list[Fact]) -> None:
    assert totals(data.draw(st.permutations(facts + facts[:5]))) == totals(facts)


TIMES = st.integers(0, 16).map(lambda quarter: quarter * DAY_MS // 4)
SURFACES = st.sampled_from(["home", "search"])
LONG = st.tuples(
    st.dictionaries(st.sampled_from(DECISIONS), st.tuples(SURFACES, TIMES, st.lists(ITEMS, max_size=4))),
    st.lists(st.tuples(st.sampled_from(DECISIONS), SURFACES, TIMES, ITEMS, st.sampled_from([None, True, False]))),
)


def over_days(drawn: Any) -> list[Fact]:
    slates, reports = drawn
    facts: list[Fact] = []
    for decision, (surface, at_ms, items) in slates.items():
        facts.append(replace(served(decision, *items, at_ms=at_ms), surface=surface))
    for decision, surface, at_ms, item, seen in reports:
        acted = Acted(decision, surface, at_ms, item)
        facts.append(acted if seen is None else Viewed(decision, surface, at_ms, ((item, seen),)))
    return facts


@given(st.data(), LONG, st.integers(1, DAY_MS))
def test_the_running_counters_are_the_recount_in_any_order_at_any_time(
    data: st.DataObject, drawn: Any, window_ms: int
) -> None:
    accounting, order = Accounting(window_ms), data.draw(st.permutations(over_days(drawn)))
    for folded, fact in enumerate(order, 1):
        accounting.apply(fact)
        if data.draw(st.booleans()):
            now_ms = data.draw(TIMES)  # back too, as where the mesh clock is set back
            assert accounting.totals(now_ms) == recounted(order[:folded], now_ms, window_ms)


@given(st.data(), LONG, st.integers(1, DAY_MS))
def test_settling_anywhere_on_the_way_changes_nothing(data: st.DataObject, drawn: Any, window_ms: int) -> None:
    began = {decision: at_ms for decision, (_, at_ms, _) in drawn[0].items()}
    # Nobody reports on a decision before it is made.
    possible = [fact for fact in over_days(drawn) if time_of(fact) >= began.get(fact.decision_id, 0)]
    facts = sorted(possible, key=time_of)
    accounting = Accounting(window_ms)
    for folded, fact in enumerate(facts, 1):
        accounting.apply(fact)
        if data.draw(st.booleans()):
            accounting.settle(time_of(fact))
        if data.draw(st.booleans()):
            assert accounting.totals(time_of(fact)) == recounted(facts[:folded], time_of(fact), window_ms)
    accounting.settle(6 * DAY_MS)
    assert accounting.open_slates == 0
    assert accounting.totals(6 * DAY_MS) == recounted(facts, 6 * DAY_MS, window_ms)


@given(st.lists(FACTS, max_size=15))
def test_every_position_is_in_exactly_one_state(facts: list[Fact]) -> None:
    for counts in totals(facts).values():
        assert counts["positions"] == sum(counts[s] for s in ("seen", "prefetched", "pending", "unreported"))
        assert counts["positions"] % 3 == 0
        assert counts["acted_unseen"] <= counts["acted"] <= counts["positions"]


@given(st.lists(FACTS, max_size=15))
def test_settling_changes_no_count_of_what_is_due(facts: list[Fact]) -> None:
    assert totals(facts, now_ms=3 * DAY_MS, settle=2 * DAY_MS) == totals(facts, now_ms=3 * DAY_MS)


def test_each_report_moves_its_position() -> None:
    slate = b"x" * 16
    facts: list[Fact] = [
        served(slate, 1, 2, 3, 4),
        Viewed(slate, "home", 1, ((1, True), (2, False))),
        Acted(slate, "home", 2, 1),
        Acted(slate, "home", 2, 3),
        Acted(slate, "home", 2, 9),
    ]
    due = totals(facts, now_ms=12)["home"]
    assert due == dict(zip(STATES, (4, 1, 1, 0, 2, 2, 1, 1), strict=True))
    waiting = totals(facts, now_ms=11)["home"]
    assert (waiting["pending"], waiting["unreported"]) == (2, 0)


def test_a_report_whose_decision_is_not_on_record_is_unmatched() -> None:
    assert totals([Viewed(b"x" * 16, "home", 1, ((1, True),))])["home"]["unmatched"] == 1


def test_settled_slates_stay_in_the_totals_and_leave_memory() -> None:
    accounting = Accounting(report_window_ms=1)
    accounting.apply(served(b"x" * 16, 1, at_ms=5))
    accounting.apply(served(b"y" * 16, 1, at_ms=50))
    accounting.settle(DAY_MS + 10)
    assert accounting.open_slates == 1
    assert accounting.totals(100)["home"]["positions"] == 2
    accounting.apply(Viewed(b"x" * 16, "home", DAY_MS + 60, ((1, True),)))
    assert accounting.totals(100)["home"]["unmatched"] == 1


def test_a_report_of_another_day_is_unmatched_however_long_the_slate_was_open() -> None:
    slate = served(b"x" * 16, 1, 2)
    late = Viewed(slate.decision_id, "home", DAY_MS + 3_600_000, ((1, True),))
    found = totals([slate, late], now_ms=3 * DAY_MS)["home"]
    assert (found["seen"], found["unreported"], found["unmatched"]) == (0, 2, 1)


def test_totals_of_many_open_slates_cost_no_walk_over_them() -> None:
    accounting = Accounting(report_window_ms=12)
    for number in range(5_000):
        accounting.apply(served(b"%16d" % number, *range(20)))
    accounting.totals(100)
    began = process_time()
    for _ in range(100):
        assert accounting.totals(100)["home"]["unreported"] == 100_000
    assert process_time() - began < 1.0  # a walk each takes 5 s

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import Scheme
from loopwright.monitor.accounting import STATES, Accounting
from loopwright.monitor.facts import Acted, Served, Shown, Viewed

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
    accounting = Accounting()
    for fact in facts:
        accounting.apply(fact)
    if settle is not None:
        accounting.settle(settle)
    return accounting.totals(now_ms, report_window_ms=12)


@given(st.data(), st.lists(FACTS, max_size=15))
def test_the_fold_knows_no_order_and_no_repetition(data: st.DataObject, facts: list[Fact]) -> None:
    assert totals(data.draw(st.permutations(facts + facts[:5]))) == totals(facts)


@given(st.lists(FACTS, max_size=15))
def test_every_position_is_in_exactly_one_state(facts: list[Fact]) -> None:
    for counts in totals(facts).values():
        assert counts["positions"] == sum(counts[s] for s in ("seen", "prefetched", "pending", "unreported"))
        assert counts["positions"] % 3 == 0
        assert counts["acted_unseen"] <= counts["acted"] <= counts["positions"]


@given(st.lists(FACTS, max_size=15))
def test_settling_changes_no_count_of_what_is_due(facts: list[Fact]) -> None:
    assert totals(facts, now_ms=10_000, settle=5_000) == totals(facts, now_ms=10_000)


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
    accounting = Accounting()
    accounting.apply(served(b"x" * 16, 1, at_ms=5))
    accounting.apply(served(b"y" * 16, 1, at_ms=50))
    accounting.settle(10)
    assert accounting.totals(100, 1)["home"]["positions"] == 2
    accounting.apply(Viewed(b"x" * 16, "home", 60, ((1, True),)))
    assert accounting.totals(100, 1)["home"]["unmatched"] == 1

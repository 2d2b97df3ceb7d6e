from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwright.domain.enums import Purpose, Scheme, Source
from loopwright.domain.ids import name_id
from loopwright.eventlog import Event, Record
from loopwright.monitor.health import SETTLING_MS, LoopHealth, Windows

DAY_MS = 86_400_000
WINDOWS = Windows(report_ms=1000, exposure_days=7, fresh_ms=30 * DAY_MS)


def folded(make: SimpleNamespace, *events: Event) -> LoopHealth:
    health = LoopHealth(WINDOWS)
    for event in events:
        health.apply(record(make, event))
    return health


def record(make: SimpleNamespace, event: Event) -> Record:
    topic = make.TOPICS[event.WhichOneof("payload")]
    return Record(topic.name, 0, 0, 0, b"", event, b"", "", 0)


def a_loop(make: SimpleNamespace) -> list[Event]:
    both, creator = (Source.TWO_TOWER, Source.TRENDING), name_id("c")
    return [
        make.decided("d1", {1: both, 2: (Source.FRESH,), 3: (Source.FRESH,)}, creator_ids=(creator, creator, 0)),
        make.decided("d2", {1: (Source.TWO_TOWER,)}, scheme=Scheme.EXPLORE, degraded=True),
        make.decided("d3", {1: both}, purpose=Purpose.EVALUATE),
        make.viewed("d1", {1: True, 2: False}),
        make.viewed("d1", {2: True}, client_id="w"),
        make.acted("d1", 1),
        make.acted("d2", 1),
        make.acted("d2", 1, client_id="b"),
    ]


def catalogue(make: SimpleNamespace) -> list[Event]:
    old = make.NOW_MS - 31 * DAY_MS
    ages = ((1, old), (2, make.NOW_MS - DAY_MS), (3, None), (4, old))
    return [make.listed(item, at_ms=make.NOW_MS - 5, creator="c", published_ms=published) for item, published in ages]


def test_a_small_loop_is_counted_right(make: SimpleNamespace) -> None:
    found = folded(make, *catalogue(make), *a_loop(make)).summary(make.NOW_MS + 1000)["surfaces"]["home"]
    accounting = found["accounting"]
    assert accounting == {
        "positions": 4, "seen": 2, "prefetched": 0, "pending": 0, "unreported": 2, "acted": 2, "acted_unseen": 1,
        "unmatched": 0,
    }  # fmt: skip
    assert (found["decisions"], found["positions"], found["undegraded_share"]) == (2, 4, 0.5)
    assert found["degradations"] == {"RETRIEVE/SOURCE_FAILED": 1}
    assert found["sources"] == {"FRESH": 0.5, "TRENDING": 0.125, "TWO_TOWER": 0.375}
    assert found["schemes"] == {"EXPLORE": 0.25, "RANKED": 0.75}
    assert found["fresh_share"] == 0.5
    assert (found["items"]["shown"], found["items"]["population"], found["items"]["coverage"]) == (3, 4, 0.75)
    assert found["items"]["gini"] == pytest.approx(2 * (2 * 1 + 3 * 1 + 4 * 2) / (4 * 4) - 5 / 4)
    assert (found["creators"]["shown"], found["creators"]["population"]) == (1, 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_neither_order_nor_repetition_changes_the_summary(make: SimpleNamespace, data: Any) -> None:
    events = a_loop(make)
    straight = folded(make, *catalogue(make), *events).summary(make.NOW_MS + 500)
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=5))))
    again = folded(make, *catalogue(make), *shuffled).summary(make.NOW_MS + 500)
    assert again["surfaces"] == straight["surfaces"]
    counted = [event for event in shuffled if event.slate_decided.decision_id != make.key("d3")]
    assert again["duplicates"] == len(counted) - (len(events) - 1)
    assert again["late"] == 0


def test_what_is_older_than_the_dedup_window_is_late_and_not_counted(make: SimpleNamespace) -> None:
    slate = {1: (Source.FRESH,)}
    health = folded(make, make.decided("d1", slate), make.decided("d2", slate, at_ms=make.NOW_MS - DAY_MS - 1))
    summary = health.summary(make.NOW_MS)
    assert (summary["late"], summary["surfaces"]["home"]["decisions"]) == (1, 1)


def days_of_a_loop(make: SimpleNamespace) -> list[Event]:
    """Ten days with reports at once, hours later, and on later days, in the order the log got them."""
    events = []
    for day in range(10):
        at_ms = make.NOW_MS + day * DAY_MS
        name = f"d{day}"
        events.append((at_ms, make.decided(name, {1: (Source.FRESH,), 2: (Source.FRESH,)}, at_ms=at_ms)))
        for hours, item in ((1, 1), (day * 5, 2), (25, 1), (26 + day, 9)):
            seen_ms = at_ms + hours * 3_600_000
            events.append((seen_ms, make.viewed(name, {item: True}, at_ms=seen_ms, client_id=f"{hours}")))
        acted_ms = at_ms + day * 4 * 3_600_000
        events.append((acted_ms, make.acted(name, 2, at_ms=acted_ms)))
    return [event for _, event in sorted(events, key=lambda pair: pair[0])]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_neither_batches_nor_ticks_change_the_summary(make: SimpleNamespace, data: Any) -> None:
    events, end_ms = days_of_a_loop(make), make.NOW_MS + 12 * DAY_MS
    want = folded(make, *events).summary(end_ms)
    health, rest = LoopHealth(WINDOWS), events
    while rest:
        size = data.draw(st.integers(1, 20))
        batch, rest = rest[:size], rest[size:]
        for event in batch:
            health.apply(record(make, event))
        if data.draw(st.booleans()):
            health.summary(health.newest_ms)
        if data.draw(st.booleans()):
            # What is still to come was got at most `SETTLING_MS` before.
            health.tidy(health.newest_ms + data.draw(st.integers(0, SETTLING_MS)))
    health.tidy(end_ms)
    assert health.summary(end_ms) == want
    assert health.accounting.open_slates == 0


def test_a_view_a_day_late_is_the_same_to_a_running_and_a_restarted_monitor(make: SimpleNamespace) -> None:
    late_ms = make.NOW_MS + 25 * 3_600_000
    events = [make.decided("d", {1: (), 2: ()}), make.viewed("d", {1: True}, at_ms=late_ms)]
    figures = []
    for ticks in (True, False):
        health = LoopHealth(WINDOWS)
        for event in events:
            health.apply(record(make, event))
            if ticks:
                health.tidy(late_ms)
        figures.append(health.summary(make.NOW_MS + 3 * DAY_MS)["surfaces"]["home"]["accounting"])
    assert figures[0] == figures[1]
    assert [figures[0][state] for state in ("seen", "unreported", "unmatched")] == [0, 2, 1]


def test_what_was_shown_and_withdrawn_since_is_part_of_the_population(make: SimpleNamespace) -> None:
    both = [make.listed(item, creator=f"c{item}") for item in range(1, 21)]
    gone = [make.unlisted(item, at_ms=5) for item in range(11, 21)]
    slate = {item: (Source.FRESH,) for item in range(11, 21)}
    shown = make.decided("d", slate, creator_ids=tuple(name_id(f"c{item}") for item in slate))
    found = folded(make, *both, *gone, shown).summary(make.NOW_MS)["surfaces"]["home"]
    for kind in ("items", "creators"):
        spread = found[kind]
        assert (spread["shown"], spread["population"], spread["coverage"]) == (10, 20, 0.5)
        assert spread["gini"] == pytest.approx(0.5)


def test_surfaces_are_kept_apart(make: SimpleNamespace) -> None:
    slate = {1: (Source.FRESH,)}
    health = folded(make, make.decided("d1", slate), make.decided("d2", slate, surface="search", degraded=True))
    found = health.summary(make.NOW_MS)["surfaces"]
    assert [found[name]["undegraded_share"] for name in ("home", "search")] == [1.0, 0.0]


def test_tidying_forgets_old_days_and_keeps_the_accounting(make: SimpleNamespace) -> None:
    health = folded(make, make.decided("d1", {1: (Source.FRESH,)}))
    later = make.NOW_MS + 8 * DAY_MS
    health.tidy(later)
    found = health.summary(later)["surfaces"]["home"]
    assert (found["decisions"], found["accounting"]["unreported"]) == (0, 1)


def test_an_empty_slate_is_a_decision_without_positions(make: SimpleNamespace) -> None:
    found = folded(make, make.decided("d", {})).summary(make.NOW_MS)["surfaces"]["home"]
    assert (found["decisions"], found["positions"], found["items"]["gini"]) == (1, 0, 0.0)


def test_a_decision_whose_columns_do_not_fit_its_slate_is_counted_as_skipped(make: SimpleNamespace) -> None:
    event = make.decided("d", {1: (Source.FRESH,)})
    event.slate_decided.slate_candidates.source_ranks.shape[0] = 2
    unknown = make.decided("e", {1: (Source.FRESH,)})
    unknown.slate_decided.sources[0].source = 90
    health = folded(make, event, unknown, make.decided("f", {2: (Source.FRESH,)}))
    found = health.summary(make.NOW_MS)
    assert found["skipped"] == {"INVALID": 2}
    assert found["surfaces"]["home"]["items"]["shown"] == 1

from tests.trainer_world import (
    MINUTE_MS,
    START_MS,
    clicked,
    collected,
    organic,
    record,
    rows,
    spec,
    subject,
    upsert,
    viewed,
)

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.profile_pb2 import SubjectErased
from loopwright.domain.ids import event_id
from loopwright.eventlog import set_ms
from loopwright.trainer.labels.evidence import Collector

DAY_MS = 86_400_000


def test_repeated_and_late_events_are_left_out_and_counted() -> None:
    first = organic(0, 1, START_MS, True)
    newest = organic(0, 2, START_MS + 2 * DAY_MS, True)
    late = organic(0, 3, START_MS + MINUTE_MS, True)
    found = collected([upsert(1)], [first, first, newest, late])
    assert len(found.actions) == 2
    assert found.left_out == {"duplicate": 1, "late": 1}


def test_an_event_the_folds_cannot_use_is_left_out() -> None:
    broken = organic(0, 1, START_MS, True)
    broken.organic_interaction.kind = 99  # type: ignore[assignment]
    assert collected([], [broken]).left_out == {"unusable": 1}


def test_the_order_of_reading_does_not_matter() -> None:
    events = rows(8, 6, 5)
    one, two = collected([], events), collected([], list(reversed(events)))
    assert one.users == two.users == 8
    for name in ("users", "item_ids", "times_ms", "liked"):
        assert getattr(one.actions, name).tolist() == getattr(two.actions, name).tolist()


def test_an_erased_user_leaves_nothing_behind() -> None:
    collector = Collector(spec(), "home")
    for user in (0, 1):
        collector.add(record("organic", organic(user, 1, START_MS, True)))
    erased = Event(event_id=event_id("erase"), subject_erased=SubjectErased(subject=subject(0)))
    set_ms(erased.occurred_at, START_MS)
    collector.add(record("profiles", erased))
    found = collector.evidence()
    assert found.users == 1
    assert found.actions.users.tolist() == [0]


def test_judging_rows_are_marked() -> None:
    found = collected([], [organic(0, 1, START_MS, True)], [organic(0, 2, START_MS + 1, True)])
    assert found.actions.judge.tolist() == [False, True]


def test_the_newest_event_counts_by_the_logs_clock_where_a_clients_runs_ahead() -> None:
    ahead = clicked(0, 1, START_MS + DAY_MS)
    set_ms(ahead.recorded_at, START_MS + 3)
    assert collected([], [organic(0, 1, START_MS, True)], clicks=[ahead]).newest_ms == START_MS + 3
    assert collected([], [organic(0, 1, START_MS, True)], views=[viewed(0, 1, START_MS + 4)]).newest_ms == START_MS + 4
    assert collected([upsert(1)], []).newest_ms == 0

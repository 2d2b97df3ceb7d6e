from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.api.events.v1.feedback_pb2 import OrganicInteraction
from loopwright.domain.ids import event_id
from loopwright.eventlog import MESH_KEY, Event, Record, make_event
from loopwright.lifecycle import FixedClock, MeshClock


def setting(number: int, offset_ms: int) -> Record:
    said = ClockSet(cause="import")
    said.offset.FromMilliseconds(offset_ms)
    return record(make_event(event_id(number), 0, FixedClock(0), "ingest", clock_set=said))


def record(event: Event) -> Record:
    return Record("control", 0, 0, 0, MESH_KEY, event, b"", "", 0)


def test_until_the_log_sets_it_the_mesh_runs_on_wall_time() -> None:
    clock = MeshClock(lambda: 10_000)
    assert (clock.now_ms(), clock.wall_ms(), clock.offset_ms) == (10_000, 10_000, 0)


def test_the_newest_setting_on_the_log_holds() -> None:
    clock = MeshClock(lambda: 10_000)
    clock.apply(setting(1, -9_001))
    assert clock.now_ms() == 999
    clock.apply(setting(2, 5))
    assert (clock.now_ms(), clock.wall_ms()) == (10_005, 10_000)


def test_a_setting_that_is_on_the_log_twice_counts_once() -> None:
    clock = MeshClock(lambda: 0)
    for one in (setting(1, 100), setting(2, 200), setting(1, 100)):
        clock.apply(one)
    assert clock.offset_ms == 200


def test_other_events_do_not_move_the_clock() -> None:
    clock = MeshClock(lambda: 0)
    clock.apply(record(make_event(event_id(1), 0, FixedClock(0), "ingest", organic_interaction=OrganicInteraction())))
    assert clock.offset_ms == 0


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock(5, offset_ms=10)
    clock.advance(2)
    assert (clock.now_ms(), clock.wall_ms()) == (17, 7)

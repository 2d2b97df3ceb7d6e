from collections.abc import Callable
from datetime import UTC, datetime

from google.protobuf.duration_pb2 import Duration

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.cli.demo.scene import Report, Scene, mesh_now_ms
from loopwright.domain.ids import event_id
from loopwright.eventlog import CONTROL, MESH_KEY, MemoryEventLog, make_event
from loopwright.lifecycle import FixedClock, wall_now_ms
from loopwright.rpc import Deadline


def test_a_scene_knows_who_takes_part(make_scene: Callable[..., Scene]) -> None:
    whole, part = make_scene(), make_scene(users_share=0.5)
    assert len(whole.population.live) + len(whole.population.held) == 30
    assert 0 < len(part.population.live) + len(part.population.held) < 30


def test_the_files_of_its_steps_lie_in_its_own_folder(scene: Scene) -> None:
    assert scene.inputs.is_dir() and scene.inputs.parent == scene.folder


def test_the_report_is_the_facts_and_the_seconds() -> None:
    assert Report(seconds={"a": 1.0}, facts={"b": 2}).document() == {"b": 2, "seconds": {"a": 1.0}}


async def test_mesh_time_is_wall_time_and_what_the_log_says_of_the_clock() -> None:
    log = MemoryEventLog(producer="ingest")
    assert abs(await mesh_now_ms(log) - wall_now_ms()) < 60_000
    back = ClockSet(offset=Duration(seconds=-800_000_000), cause="a test")
    event = make_event(event_id("clock"), 1, FixedClock(1), "ingest", clock_set=back)
    await log.append(CONTROL, MESH_KEY, event, deadline=Deadline.after(5))
    moment = datetime.fromtimestamp(await mesh_now_ms(log) / 1000, UTC)
    assert abs((datetime.now(UTC) - moment).total_seconds() - 800_000_000) < 60

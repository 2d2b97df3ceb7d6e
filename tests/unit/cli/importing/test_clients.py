import pytest
from tests.unit.cli.importing.conftest import WALL_MS, RunningIngest

from loopwright.faults import Fault


async def test_an_empty_log_has_no_newest_facts(ingest: RunningIngest) -> None:
    marks = await ingest.client.watermarks()
    assert (marks.newest_ms, marks.newest_organic_ms, marks.clock_fixed) == (None, None, False)
    assert marks.dedup_window_ms == 86_400_000
    assert marks.mesh_ms == WALL_MS


async def test_the_clock_is_set_and_a_time_out_of_range_is_refused(ingest: RunningIngest) -> None:
    await ingest.client.set_clock(900_000_000_000, "test")
    assert (await ingest.client.watermarks()).mesh_ms == 900_000_000_000
    with pytest.raises(Fault):
        await ingest.client.set_clock(5_000_000_000_000, "test")

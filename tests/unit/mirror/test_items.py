import numpy as np
from tests.unit.featurespec.worlds import NOW_MS, world

from loopwright.eventlog import ITEM_ROWS, MemoryEventLog
from loopwright.featurespec.columns import cross_context, item_columns
from loopwright.featurespec.groups import GROUPS, ITEM_GROUPS, Entity
from loopwright.lifecycle import FixedClock
from loopwright.mirror import ItemMirror
from loopwright.projector.convert import row_to_event
from loopwright.rpc import Deadline

ITEMS = [name for name in ITEM_GROUPS if GROUPS[name].entity is Entity.ITEM]


async def appended(log: MemoryEventLog) -> None:
    table, _ = world()
    entries = [
        row_to_event(int(item), group, state, 5, FixedClock(0), "projector")
        for item, states in zip(table.ids, table.encode_rows(np.arange(len(table))), strict=True)
        for group, state in states.items()
    ]
    await log.append_many(ITEM_ROWS, entries, deadline=Deadline.after(5))


async def test_a_mirror_holds_the_rows_of_the_log_and_gives_their_columns() -> None:
    log, touched = MemoryEventLog(producer="projector"), []
    await appended(log)
    mirror = ItemMirror(log, on_rows=touched.append)
    await mirror.start()
    try:
        table, users = world()
        rows, there = np.arange(len(table)), mirror.table.rows_of(table.ids)
        expected = item_columns(table, rows, NOW_MS, ITEMS)
        for _ in range(3):  # derived, then derived whole, then kept
            assert mirror.columns(there, NOW_MS, ITEMS).columns.tobytes() == expected.columns.tobytes()
        assert sorted(np.concatenate(touched).tolist()) == rows.tolist()
        assert mirror.progress() == await log.ends([ITEM_ROWS])
        assert mirror.lag_s(0) == 0.0
        block = mirror.candidate_columns(cross_context(users[0], mirror.table, NOW_MS), there, NOW_MS, ITEM_GROUPS)
        assert block.mask.shape == (len(rows), len(ITEM_GROUPS))
    finally:
        await mirror.stop()


async def test_kept_columns_follow_a_changed_row_and_the_hour() -> None:
    log = MemoryEventLog(producer="projector")
    await appended(log)
    mirror = ItemMirror(log)
    await mirror.start()
    try:
        rows = np.arange(len(mirror.table))
        before = [mirror.columns(rows, NOW_MS, ITEMS).columns for _ in range(3)][-1]
        assert mirror.columns(rows, NOW_MS + 7_200_000, ITEMS).columns.tobytes() != before.tobytes()
        assert mirror.columns(rows, NOW_MS, ITEMS).columns.tobytes() == before.tobytes()
        state = mirror.table.encode_rows(np.array([3]))[0]["item_counts.v1"]
        mirror.table.put_many([(int(mirror.table.ids[4]), "item_counts.v1", state)])
        after = mirror.columns(rows, NOW_MS, ITEMS).columns
        assert after[4].tobytes() != before[4].tobytes()
        assert mirror.columns(np.array([-1]), NOW_MS, ITEMS).mask.all()
    finally:
        await mirror.stop()


async def test_rows_of_groups_that_this_build_does_not_know_are_passed_over() -> None:
    log = MemoryEventLog(producer="projector")
    key, event = row_to_event(5, "item_weather.v1", b"?", 5, FixedClock(0), "projector")
    await log.append(ITEM_ROWS, key, event, deadline=Deadline.after(5))
    mirror = ItemMirror(log)
    await mirror.start()
    assert len(mirror.table) == 0
    await mirror.stop()

import numpy as np
from tests.unit.featurespec.worlds import NOW_MS, world

from loopwright.featurespec import settled_columns as room
from loopwright.featurespec.rings import HOUR_MS
from loopwright.featurespec.settled_columns import Settled, settled_columns
from loopwright.featurespec.table import ItemTable
from loopwright.mirror import settled as kept_room
from loopwright.mirror.settled import HOURS_KEPT, SettledRows

HOUR = NOW_MS - NOW_MS % HOUR_MS


def same(left: Settled, right: Settled) -> bool:
    names = ("columns", "basis", "ages_s", "mask")
    return all(getattr(left, name).tobytes() == getattr(right, name).tobytes() for name in names)


def counting(monkeypatch) -> list[list[int]]:
    derived: list[list[int]] = []

    def derive(table: ItemTable, rows, hour_ms: int) -> Settled:
        derived.append(rows.tolist())
        return room.settled_columns(table, rows, hour_ms)

    monkeypatch.setattr(kept_room, "settled_columns", derive)
    return derived


def test_a_row_is_derived_once_until_it_changes_or_the_hour_turns(monkeypatch) -> None:
    derived, (table, _) = counting(monkeypatch), world()
    kept, rows = SettledRows(table), np.array([4, 2, 4, 0])
    for _ in range(2):
        assert same(kept.at(rows, HOUR), settled_columns(table, rows, HOUR))
    assert derived == [[0, 2, 4]]
    state = table.encode_rows(np.array([3]))[0]["item_counts.v1"]
    table.put_many([(int(table.ids[4]), "item_counts.v1", state)])
    assert same(kept.at(rows, HOUR), settled_columns(table, rows, HOUR))
    assert derived[1:] == [[4]]
    assert same(kept.at(rows, HOUR + HOUR_MS), settled_columns(table, rows, HOUR + HOUR_MS))
    assert derived[2:] == [[0, 2, 4]]


def test_what_is_given_may_be_written_to() -> None:
    table, _ = world()
    kept, rows = SettledRows(table), np.arange(3)
    kept.at(rows, HOUR).columns[:] = 7
    assert same(kept.at(rows, HOUR), settled_columns(table, rows, HOUR))


def test_items_that_arrive_later_are_derived_too_and_only_a_few_hours_are_kept() -> None:
    table, _ = world()
    kept = SettledRows(table)
    kept.at(np.arange(len(table)), HOUR)
    added = [table.row_for(10**6 + number) for number in range(300)]
    rows = np.array([1, *added])
    assert same(kept.at(rows, HOUR), settled_columns(table, rows, HOUR))
    for hour in range(5):
        kept.at(rows, HOUR + hour * HOUR_MS)
    assert len(kept._hours) == HOURS_KEPT

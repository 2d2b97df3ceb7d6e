from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loopwright.domain.enums import Source
from loopwright.eventlog import ACTIONS, DECISIONS, IMPRESSIONS, MemoryBroker, MemoryEventLog, Offsets, SkipAndCount
from loopwright.monitor import catching_up
from loopwright.monitor.catching_up import catch_up
from loopwright.monitor.health import LoopHealth, Windows

DAY_MS = 86_400_000
TOPICS = [DECISIONS, IMPRESSIONS, ACTIONS]
WINDOWS = Windows(1000, 7, DAY_MS)
DAYS, A_DAY = 40, 5


def long_log(make: SimpleNamespace) -> MemoryBroker:
    """Days of decisions, each with a view an hour later and one more a day after that."""
    wall = [0]
    broker = MemoryBroker(wall_ms=lambda: wall[0])
    events: list[Any] = []
    for day in range(DAYS):
        for number in range(A_DAY):
            name, at_ms = f"{day}-{number}", make.NOW_MS + day * DAY_MS + number * 3_600_000
            events.append((at_ms, make.decided(name, {1: (Source.FRESH,), 2: (Source.FRESH,)}, at_ms=at_ms)))
            for hours, item in ((1, 1), (25, 2)):
                late_ms = at_ms + hours * 3_600_000
                events.append((late_ms, make.viewed(name, {item: True}, at_ms=late_ms, client_id=str(hours))))
    for at_ms, event in sorted(events, key=lambda pair: pair[0]):
        wall[0] = at_ms
        make.put(broker, event)
    return broker


async def folded(broker: MemoryBroker, health: LoopHealth, wall_ms: int, seen: list[int] | None = None) -> Offsets:
    def apply(record: Any) -> None:
        health.apply(record)
        if seen is not None:
            seen.append(health.accounting.open_slates)

    def tidy() -> None:
        health.tidy(min(health.newest_ms, wall_ms))

    log = MemoryEventLog(broker, producer="monitor")
    return await catch_up(log, TOPICS, apply, tidy, wall_ms=wall_ms, on_undecodable=SkipAndCount("monitor"))


async def test_a_restart_holds_the_slates_of_days_and_comes_to_the_right_figures(make: SimpleNamespace) -> None:
    broker, now_ms = long_log(make), make.NOW_MS + (DAYS + 2) * DAY_MS
    health, seen = LoopHealth(WINDOWS), list[int]()
    reached = await folded(broker, health, now_ms, seen)
    assert reached == await MemoryEventLog(broker, producer="monitor").ends(TOPICS)
    assert max(seen) <= 3 * A_DAY
    accounting = health.summary(now_ms)["surfaces"]["home"]["accounting"]
    assert [accounting[state] for state in ("seen", "unreported", "unmatched")] == [DAYS * A_DAY] * 3


async def test_a_log_that_retention_has_cut_and_an_empty_one_are_read_from_where_they_begin(
    make: SimpleNamespace,
) -> None:
    broker, now_ms = long_log(make), make.NOW_MS + (DAYS + 2) * DAY_MS
    log = MemoryEventLog(broker, producer="monitor")
    broker.delete_before(await log.offsets_at(DECISIONS, make.NOW_MS + 10 * DAY_MS))
    health = LoopHealth(WINDOWS)
    await folded(broker, health, now_ms)
    assert health.summary(now_ms)["surfaces"]["home"]["accounting"]["positions"] == 2 * (DAYS - 10) * A_DAY
    assert set((await folded(MemoryBroker(), LoopHealth(WINDOWS), now_ms)).values()) == {0}


async def test_what_is_older_than_the_most_steps_is_in_the_first(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "MOST_STEPS", 3)
    health, now_ms = LoopHealth(WINDOWS), make.NOW_MS + (DAYS + 2) * DAY_MS
    await folded(long_log(make), health, now_ms)
    assert health.summary(now_ms)["surfaces"]["home"]["accounting"]["positions"] == 2 * DAYS * A_DAY

"""The outbox over a disk that forgets: whatever fails and whenever, nothing acknowledged is lost or reordered."""

from __future__ import annotations

import asyncio
import errno
import random
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from loopwright.eventlog import Encoded, Outbox, OutboxSettings, Worth
from loopwright.eventlog.memory_disk import MemoryDisk
from loopwright.faults import OutboxFull
from loopwright.rpc import Deadline

LANES = (("decisions", b"\1" * 16), ("decisions", b"\2" * 16), ("actions", b"\1" * 16))
LIMITS = OutboxSettings(commit_interval_s=0, segment_bytes=400, optional_share=1, slate_share=1)
BROKEN = OSError(errno.EIO, "input/output error")

lanes = st.integers(0, len(LANES) - 1)
seeds = st.integers(0, 2**16)
groups = st.lists(st.tuples(lanes, st.integers(0, 120)), min_size=1, max_size=5)


def dice(seed: int) -> Any:
    return random.Random(seed).randrange


class Outage(RuleBasedStateMachine):
    """Appends, sends, crashes and disk failures in any order, beside a model of what was promised."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.disk = MemoryDisk(choose=dice(0))
        self.number = 0
        self.promised: defaultdict[int, list[int]] = defaultdict(list)
        self.possible: set[int] = set()  # refused, in doubt, or on the log already: may be found, need not be
        self.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def start(self) -> None:
        self.outbox = Outbox(self.disk, 64, LIMITS, lambda: 1_000)
        self.running = self.outbox.running()
        self.run(self.running.__aenter__())

    def restart(self, disk: MemoryDisk) -> None:
        """Go on with another disk: what the old process still does reaches the old one only."""
        self.run(self.running.__aexit__(None, None, None))
        self.disk = disk
        self.start()
        found = {number for lane in range(len(LANES)) for number in self.waiting(lane)}
        assert found <= self.possible | {number for lane in self.promised.values() for number in lane}

    def waiting(self, lane: int) -> list[int]:
        place = self.outbox.lane(*LANES[lane])
        if place not in self.outbox.waiting_lanes():
            return []
        entries = self.run(self.outbox.oldest(place, records=10_000, size=1 << 30))
        return [int.from_bytes(entry.value[:4], "big") for entry in entries]

    async def appended(self, group: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
        async def one(lane: int, size: int, number: int) -> tuple[int, int, bool]:
            topic, key = LANES[lane]
            entry = Encoded(key, number.to_bytes(4, "big") + bytes(size))
            try:
                await self.outbox.append(topic, entry, deadline=Deadline.after(10))
            except OutboxFull:
                return lane, number, False
            return lane, number, True

        numbers = range(self.number, self.number + len(group))
        self.number += len(group)
        return await asyncio.gather(*(one(lane, size, n) for (lane, size), n in zip(group, numbers, strict=True)))

    @rule(group=groups)
    def append(self, group: list[tuple[int, int]]) -> None:
        for lane, number, taken in self.run(self.appended(group)):
            if taken:
                self.promised[lane].append(number)
            else:
                self.possible.add(number)

    @rule(group=groups)
    def a_sound_disk_takes_what_comes_whatever_happened_before(self, group: list[tuple[int, int]]) -> None:
        self.disk.refuses = self.disk.refuses_sync = self.disk.refuses_truncate = None
        self.disk.capacity = 1 << 40
        outcomes = self.run(self.appended(group))
        assert all(taken for _, _, taken in outcomes)
        for lane, number, _ in outcomes:
            self.promised[lane].append(number)

    @rule(lane=lanes, records=st.integers(1, 6))
    def send(self, lane: int, records: int) -> None:
        sent = self.waiting(lane)[:records]
        if sent:
            self.run(self.outbox.acknowledge(self.outbox.lane(*LANES[lane]), len(sent)))
            self.promised[lane] = [number for number in self.promised[lane] if number not in sent]
            self.possible.update(sent)

    @rule(writes=st.booleans(), syncs=st.booleans(), cuts=st.booleans(), seed=seeds)
    def fail(self, writes: bool, syncs: bool, cuts: bool, seed: int) -> None:
        self.disk._choose = dice(seed)
        self.disk.refuses = BROKEN if writes else None
        self.disk.refuses_sync = BROKEN if syncs else None
        self.disk.refuses_truncate = BROKEN if cuts else None

    @rule(room=st.integers(0, 300))
    def fill_up(self, room: int) -> None:
        self.disk.capacity = self.disk.used_bytes + room

    @rule(seed=seeds)
    def lose_power(self, seed: int) -> None:
        self.restart(self.disk.crash(dice(seed)))

    @rule(group=groups, seed=seeds)
    @precondition(lambda self: self.disk.refuses is None)
    def lose_power_before_a_sync(self, group: list[tuple[int, int]], seed: int) -> None:
        """The appends of the group were never answered: any of them may be found, in order, or none."""
        found: list[MemoryDisk] = []
        self.disk.before_sync = lambda: found.append(self.disk.crash(dice(seed)))
        for _, number, _ in self.run(self.appended(group)):
            self.possible.add(number)
        self.restart(found[0] if found else self.disk.crash(dice(seed)))

    @rule()
    def be_killed(self) -> None:
        self.restart(self.disk.killed())

    @invariant()
    def nothing_promised_is_lost_or_out_of_order(self) -> None:
        total = 0
        for lane in range(len(LANES)):
            waiting = self.waiting(lane)
            total += len(waiting)
            assert [number for number in waiting if number in self.promised[lane]] == self.promised[lane]
            assert waiting == sorted(waiting)
        assert self.outbox.depth == total

    def teardown(self) -> None:
        """The last power failure."""
        self.restart(self.disk.crash())
        self.nothing_promised_is_lost_or_out_of_order()
        self.run(self.running.__aexit__(None, None, None))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


Outage.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestOutage = Outage.TestCase


def test_bytes_that_a_failed_sync_dropped_are_seen_and_yet_gone() -> None:
    disk = MemoryDisk()
    disk.create(0)
    disk.write(0, 0, b"lost")
    disk.refuses_sync = BROKEN
    with pytest.raises(OSError, match="input/output"):
        disk.sync(0)
    disk.refuses_sync = None
    disk.sync(0)
    assert disk.read(0, 0, 4) == b"lost"
    assert disk.crash().read(0, 0, 4) == b""


def test_a_full_disk_takes_a_part_and_says_so() -> None:
    disk = MemoryDisk(capacity=3)
    disk.create(0)
    with pytest.raises(OSError, match="no space"):
        disk.write(0, 0, b"four")
    assert disk.free_bytes() == 0


async def test_an_outbox_that_synced_again_after_a_failure_would_lose_what_this_one_keeps() -> None:
    """The double is worth its name: the same bytes in the file that failed are gone after a crash."""
    disk = MemoryDisk()
    async with Outbox(disk, 64, LIMITS, lambda: 1_000).running() as outbox:
        disk.refuses_sync = disk.refuses_truncate = BROKEN
        entry = Encoded(b"\1" * 16, b"x" * 20)
        with pytest.raises(OutboxFull):
            await outbox.append("decisions", entry, deadline=Deadline.after(5), worth=Worth.SLATE)
        disk.refuses_sync = None
        await outbox.append("decisions", entry, deadline=Deadline.after(5))
        first, second = disk.crash().numbers()
        assert (disk.crash().size(first), disk.size(first) > 0) == (0, True)
        assert disk.crash().size(second) == disk.size(second) > 0

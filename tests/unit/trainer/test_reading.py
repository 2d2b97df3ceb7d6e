from tests.bad_events import corrupt_values, inject, odd_events, poison_events
from tests.trainer_world import catalogue, fill, rows, spec

from loopwright.eventlog import MemoryBroker, MemoryEventLog
from loopwright.trainer.reading import read_evidence


async def read(partitions: int, chunk: int):  # type: ignore[no-untyped-def]
    broker = MemoryBroker(partitions=partitions)
    await fill(broker, catalogue(9), rows(12, 9, 5), chunk)
    log = MemoryEventLog(broker, producer="trainer")
    return await read_evidence(log, spec(), "home", {})


async def test_partitions_and_batches_change_nothing() -> None:
    one, two = await read(4, 1000), await read(8, 7)
    for name in one.evidence.actions.__slots__:
        assert getattr(one.evidence.actions, name).tolist() == getattr(two.evidence.actions, name).tolist()
    assert sum(one.ends.values()) == sum(two.ends.values()) == 9 + 60


async def test_rows_after_the_incumbents_window_judge() -> None:
    broker = MemoryBroker(partitions=4)
    await fill(broker, catalogue(9), rows(12, 9, 5))
    log = MemoryEventLog(broker, producer="trainer")
    first = await read_evidence(log, spec(), "home", {})
    until = {place: end for place, end in first.ends.items() if place[0] == "organic"}
    await fill(broker, [], rows(12, 9, 5, seed=5)[:7])
    second = await read_evidence(log, spec(), "home", until)
    assert not first.evidence.actions.judge.any()
    assert second.evidence.actions.judge.sum() == len(second.evidence.actions) - len(first.evidence.actions) > 0


async def test_bad_records_teach_nothing_and_are_counted() -> None:
    found = []
    for bad in (False, True):
        broker = MemoryBroker(partitions=4)
        await fill(broker, catalogue(9), rows(12, 9, 5))
        if bad:
            inject(broker, poison_events(60) + corrupt_values(12))
        found.append((await read_evidence(MemoryEventLog(broker, producer="trainer"), spec(), "home", {})).evidence)
    clean, dirty = found
    for name in clean.actions.__slots__:
        assert getattr(clean.actions, name).tolist() == getattr(dirty.actions, name).tolist()
    assert (clean.users, clean.catalogue, clean.exposed) == (dirty.users, dirty.catalogue, dirty.exposed)
    assert dirty.left_out["undecodable"] + dirty.left_out["unknown payload"] == 12
    assert dirty.left_out["unusable"] > 40


async def test_events_that_contradict_themselves_do_not_end_a_training() -> None:
    broker = MemoryBroker(partitions=4)
    await fill(broker, catalogue(9), rows(12, 9, 5))
    inject(broker, odd_events(60))
    evidence = (await read_evidence(MemoryEventLog(broker, producer="trainer"), spec(), "home", {})).evidence
    assert evidence.users >= 12

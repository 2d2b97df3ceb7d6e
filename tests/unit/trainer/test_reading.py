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

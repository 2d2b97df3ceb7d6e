from __future__ import annotations

from loopwright.eventlog import ACTIONS, ORGANIC, READINESS, MemoryBroker, MemoryEventLog, Tail
from loopwright.lifecycle import ServiceSettings, process_over
from loopwright.monitor.progress import ConsumerProgress, Lag


class Settings(ServiceSettings, service="projector"):
    """A consumer's settings."""


async def test_lag_is_what_lies_between_the_reported_offsets_and_the_ends() -> None:
    broker = MemoryBroker(partitions=2)
    progress = ConsumerProgress()
    async with Tail(MemoryEventLog(broker, producer="monitor"), [READINESS], progress.apply) as tail:
        log = MemoryEventLog(broker, producer="projector")
        async with process_over(log, "projector", Settings()) as running:
            running.readiness.progress("users", {(ORGANIC.name, 0): 3, (ORGANIC.name, 1): 0, (ACTIONS.name, 0): 9})
            await running.readiness.loaded("bundle", "v")
            await tail.reached(await log.ends([READINESS]), _soon())
            ends = {(ORGANIC.name, 0): 5, (ORGANIC.name, 1): 4, (ACTIONS.name, 0): 7}
            assert progress.lags(ends) == [
                Lag("projector:users", "projector-0", "actions", 0),
                Lag("projector:users", "projector-0", "organic", 6),
            ]
        await tail.reached(await log.ends([READINESS]), _soon())
        assert progress.lags(ends) == []  # it stopped in order


def _soon():  # type: ignore[no-untyped-def]
    from loopwright.rpc import Deadline

    return Deadline.after(5)

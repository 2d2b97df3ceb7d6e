import pytest

from loopwright.cli.importing.settle import STEPS, settled
from loopwright.eventlog import MemoryBroker, MemoryEventLog
from loopwright.faults import DeadlineExceeded
from loopwright.lifecycle import MeshClock, ReadinessReporter
from loopwright.rpc import Deadline


def reporter(broker: MemoryBroker, service: str) -> ReadinessReporter:
    return ReadinessReporter(MemoryEventLog(broker, producer=service), MeshClock(), service, f"{service}-0")


async def test_it_returns_once_every_step_has_folded_all_that_is_there() -> None:
    broker = MemoryBroker(partitions=4)
    log = MemoryEventLog(broker, producer="cli")
    told: list[tuple[str, float]] = []
    async with (
        reporter(broker, "projector") as p,
        reporter(broker, "hydration") as h,
        reporter(broker, "retrieval") as r,
    ):
        reporters = {"projector": p, "hydration": h, "retrieval": r}
        for service, what, topics in STEPS:
            reporters[service].progress(what, await log.ends(topics))
        await settled(log, Deadline.after(10), lambda step, share: told.append((step, share)))
    assert {step for step, _ in told} <= {f"{service} {what}" for service, what, _ in STEPS}


async def test_it_names_who_is_behind() -> None:
    broker = MemoryBroker(partitions=4)
    with pytest.raises(DeadlineExceeded, match="projector"):
        await settled(MemoryEventLog(broker, producer="cli"), Deadline.after(0.3), lambda step, share: None)

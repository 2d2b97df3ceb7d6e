import pytest
from tests.trainer_world import bundle

from loopwright.bundle import policy_version
from loopwright.faults import ReplicaNotReady
from loopwright.rpc import Deadline
from loopwright.trainer.promotion import promote


class FakePolicies:
    def __init__(self, *answers: Exception | None) -> None:
        self.answers, self.calls = list(answers), list[tuple[str, str, str]]()

    async def publish(self, document: str, reason: str) -> str:
        return policy_version(bundle())

    async def activate(self, surface: str, version: str, previous: str, reason: str) -> None:
        self.calls.append((surface, version, previous))
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer


def not_ready(state: str) -> ReplicaNotReady:
    return ReplicaNotReady("ranking-0", metadata={"replica": "ranking-0", "state": state, "cause": "MODEL_NOT_FINITE"})


async def nap(seconds: float) -> None:
    assert seconds > 0


async def test_a_pending_replica_is_waited_for() -> None:
    policies = FakePolicies(not_ready("pending"), not_ready("absent"), None)
    version = await promote(policies, bundle(), "old", "why", Deadline.after(60), nap)
    assert policies.calls == [("home", version, "old")] * 3


async def test_a_replica_that_refused_ends_it_at_once() -> None:
    policies = FakePolicies(not_ready("rejected"))
    with pytest.raises(ReplicaNotReady) as refused:
        await promote(policies, bundle(), "", "why", Deadline.after(60), nap)
    assert refused.value.metadata["cause"] == "MODEL_NOT_FINITE"
    assert len(policies.calls) == 1


async def test_waiting_ends_at_the_deadline() -> None:
    policies = FakePolicies(not_ready("pending"))
    with pytest.raises(ReplicaNotReady):
        await promote(policies, bundle(), "", "why", Deadline.after(0), nap)

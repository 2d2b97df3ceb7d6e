from loopwright.bundle import default_bundle, policy_version
from loopwright.eventlog import POLICIES, MemoryBroker, MemoryEventLog, payload_name
from loopwright.lifecycle import ReadinessView, ReplicaState, process_over, wait_for
from loopwright.policy.bootstrap import bootstrap
from loopwright.policy.config import PolicySettings
from loopwright.rpc import Deadline

DEFAULT = policy_version(default_bundle())


async def test_policy_comes_up_on_an_empty_log_and_again_on_its_own() -> None:
    broker = MemoryBroker()
    for _ in range(2):
        log, settings = MemoryEventLog(broker, producer="policy"), PolicySettings()
        async with process_over(log, "policy", settings) as process, bootstrap(settings, process) as policy:
            active = policy.feed.active("home")
            assert active is not None
            assert active.version == DEFAULT
            async with ReadinessView(log) as view:
                await wait_for(view, loaded, Deadline.after(5), what="policy did not report its bundle")
    assert [payload_name(event) for event in broker.records(POLICIES)] == ["policy_published", "policy_activated"]


def loaded(view: ReadinessView) -> bool:
    report = view.state("policy-0", "bundle", DEFAULT)
    return report is not None and report.state is ReplicaState.LOADED

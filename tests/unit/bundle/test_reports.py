import pytest

from loopwright.bundle import BundleFeed, BundleReports, canonical_json, default_bundle, policy_version
from loopwright.eventlog import POLICIES, MemoryBroker, MemoryEventLog
from loopwright.faults import Internal
from loopwright.lifecycle import FixedClock
from loopwright.policy.convert import published_event
from loopwright.rpc import Deadline


class Reporter:
    """Keeps what it is told; fails when told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.told: list[tuple[str, ...]] = []
        self.fault = fault

    async def loaded(self, kind: str, artefact: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.told.append((kind, artefact))

    async def rejected(self, kind: str, artefact: str, reason: str) -> None:
        self.told.append((kind, artefact, reason))


async def publish(log: MemoryEventLog) -> str:
    bundle = default_bundle()
    version = policy_version(bundle)
    event = published_event(FixedClock(1), "policy", "home", version, canonical_json(bundle), actor="a", reason="")
    await log.append(POLICIES, b"home", event, deadline=Deadline.after(5))
    return version


async def test_every_published_bundle_is_reported_whether_before_or_after_the_start() -> None:
    log = MemoryEventLog(MemoryBroker(), producer="policy")
    version = await publish(log)
    reporter = Reporter()
    async with BundleFeed(log) as feed, BundleReports(feed, reporter):
        pass
    assert reporter.told == [("bundle", version)]


async def test_a_bundle_that_cannot_be_served_is_rejected_with_the_reason() -> None:
    log = MemoryEventLog(MemoryBroker(), producer="policy")
    version = await publish(log)
    reporter = Reporter()
    async with BundleFeed(log) as feed, BundleReports(feed, reporter, lambda bundle: f"NO: {bundle.surface}"):
        pass
    assert reporter.told == [("bundle", version, "NO: home")]


async def test_a_report_that_fails_shows_in_wait() -> None:
    log = MemoryEventLog(MemoryBroker(), producer="policy")
    await publish(log)
    async with BundleFeed(log) as feed:
        with pytest.raises(Internal):
            async with BundleReports(feed, Reporter(Internal())) as reports:
                await reports.wait()

from __future__ import annotations

import asyncio

import pytest

from loopwright.bundle import BundleFeed, default_bundle, with_values
from loopwright.eventlog import ITEM_ROWS, MemoryEventLog
from loopwright.faults import MessageTooLarge
from loopwright.hydration.bundle_reports import refusal, reporting
from loopwright.hydration.config import HydrationSettings
from loopwright.lifecycle import ReadinessView, ReplicaState, process_over, wait_folded, wait_for
from loopwright.rpc import Deadline

UNKNOWN = with_values(default_bundle(), {"features.user": ["user_activity.v9"]})


def test_the_default_bundle_can_be_hydrated():
    assert refusal(default_bundle()) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"features.user": ["user_activity.v9"]}, "FEATURE_GROUP_UNKNOWN: user_activity.v9"),
        ({"features.user": ["item_counts.v1"]}, "FEATURE_GROUP_MISPLACED: item_counts.v1"),
        ({"features.item": ["user_activity.v1"]}, "FEATURE_GROUP_MISPLACED: user_activity.v1"),
        ({"features.item": ["cross_affinity.v1"]}, ""),
    ],
)
def test_a_bundle_of_unknown_or_misplaced_groups_is_refused_with_the_reason(changes, reason):
    found = refusal(with_values(default_bundle(), changes))
    assert found.startswith(reason) if reason else found == ""


async def test_bundles_published_before_and_after_the_start_are_reported_with_the_mirrors_progress(
    broker, mirror, publish
):
    log = MemoryEventLog(broker, producer="hydration")
    deadline = Deadline.after(10.0)
    early = await publish(default_bundle())
    async with (
        process_over(log, "hydration", HydrationSettings()) as proc,
        BundleFeed(log) as feed,
        ReadinessView(log) as view,
        reporting(feed, mirror, proc.readiness),
    ):
        refused, late = await publish(UNKNOWN), await publish(with_values(default_bundle(), {"ranking.best_n": 99}))
        await wait_for(view, lambda v: v.state(proc.replica, "bundle", late) is not None, deadline, what="the bundles")
        states = {version: view.state(proc.replica, "bundle", version) for version in (early, refused, late)}
        await wait_folded(view, "hydration", "mirror", await log.ends([ITEM_ROWS]), deadline)
    assert states[early].state is states[late].state is ReplicaState.LOADED
    assert states[refused].state is ReplicaState.REJECTED
    assert states[refused].reason.startswith("FEATURE_GROUP_UNKNOWN")


async def test_leaving_ends_the_reports(broker, mirror):
    log = MemoryEventLog(broker, producer="hydration")
    before = asyncio.all_tasks()
    async with process_over(log, "hydration", HydrationSettings()) as proc, BundleFeed(log) as feed:
        async with reporting(feed, mirror, proc.readiness):
            pass
    assert asyncio.all_tasks() == before


async def test_a_report_that_cannot_be_made_ends_the_block(broker, mirror, publish):
    class Refusing:
        async def loaded(self, kind, artefact):
            raise MessageTooLarge

        def progress(self, what, offsets):
            pass

    log = MemoryEventLog(broker, producer="hydration")
    async with BundleFeed(log) as feed, asyncio.timeout(5):
        with pytest.raises(MessageTooLarge):
            async with reporting(feed, mirror, Refusing()):
                await publish(default_bundle())
                await asyncio.sleep(60)

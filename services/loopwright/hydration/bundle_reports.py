"""Tells the mesh which published bundles this replica can serve, and how far its mirror has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loopwright.bundle import BundleFeed, BundleReports, PolicyBundle
from loopwright.featurespec.groups import GROUPS, Entity
from loopwright.lifecycle import ReadinessReporter
from loopwright.mirror import ItemMirror

PACE_S = 0.25
"""How often the mirror's progress is looked at; the reporter sends it at the same pace."""


def refusal(bundle: PolicyBundle) -> str:
    """Return why this build cannot hydrate for a bundle, empty when it can."""
    for names, of_users in ((bundle.features.user, True), (bundle.features.item, False)):
        for name in names:
            group = GROUPS.get(name)
            if group is None:
                return f"FEATURE_GROUP_UNKNOWN: {name} is not known to this build"
            if (group.entity is Entity.USER) is not of_users:
                return f"FEATURE_GROUP_MISPLACED: {name} is a group of {group.entity.name.lower()} rows"
    return ""


async def _report_progress(mirror: ItemMirror, readiness: ReadinessReporter) -> None:
    while True:
        readiness.progress("mirror", mirror.progress())
        await asyncio.sleep(PACE_S)


@asynccontextmanager
async def reporting(feed: BundleFeed, mirror: ItemMirror, readiness: ReadinessReporter) -> AsyncIterator[None]:
    """Report while the block runs; a report that cannot be made ends the block."""
    async with BundleReports(feed, readiness, refusal) as reports, asyncio.TaskGroup() as group:
        tasks = [group.create_task(_report_progress(mirror, readiness)), group.create_task(reports.wait())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

"""Composition root of policy: wires feed, readiness view, administration, fallback orders and servicers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loopwright.bundle import BundleFeed, BundleReports
from loopwright.lifecycle import Process, ReadinessView
from loopwright.policy.bundles import Administration, ReadinessGate
from loopwright.policy.config import PolicySettings
from loopwright.policy.fallback import FallbackKeeper
from loopwright.policy.servicer import PolicyServicer, SlateServicer
from loopwright.policy.slate import Decider
from loopwright.rpc import Deadline


@dataclass(frozen=True, slots=True)
class Policy:
    """Policy, ready: the domain objects for the one-process composition, the servicers for gRPC."""

    feed: BundleFeed
    readiness: ReadinessView
    decider: Decider
    administration: Administration
    fallbacks: FallbackKeeper
    slates: SlateServicer
    policies: PolicyServicer


@asynccontextmanager
async def bootstrap(settings: PolicySettings, process: Process) -> AsyncIterator[Policy]:
    """Yield policy with its feed caught up, and on an empty log with the default bundle active.

    Args:
        settings: Policy's settings.
        process: The running process: log, clock, readiness.

    Raises:
        LogUnavailable: the log cannot be read or written.
    """
    async with AsyncExitStack() as stack:
        feed = await stack.enter_async_context(BundleFeed(process.log))
        view = await stack.enter_async_context(ReadinessView(process.log, process.clock.wall_ms))
        reports = await stack.enter_async_context(BundleReports(feed, process.readiness))
        process.watch(feed)
        process.watch(view.tail)
        process.watch(reports)
        administration = Administration(process.log, feed, ReadinessGate(view), process.clock)
        await administration.ensure_first(Deadline.after(settings.first_start_timeout_s))
        keeper = FallbackKeeper(process.log, feed, process.clock, settings.fallback_interval_s)
        process.watch(await stack.enter_async_context(keeper))
        decider = Decider(feed.get)
        slates, policies = SlateServicer(decider), PolicyServicer(administration)
        yield Policy(feed, view, decider, administration, keeper, slates, policies)

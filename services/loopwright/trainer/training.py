"""One training run on a log: read, fit, export, judge, record, and promote if asked; `job` is its command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from loopwright.bundle import BundleFeed, PolicyBundle, default_bundle, policy_version, with_models
from loopwright.eventlog import EventLog, Offsets
from loopwright.eventlog.envelope import HasNow
from loopwright.eventlog.topics import MODELS
from loopwright.faults import ModelRejected, UnknownSurface
from loopwright.featurespec.signals import SIGNALS
from loopwright.modelstore import ModelStore
from loopwright.rpc import Deadline
from loopwright.trainer.config import TrainerSettings
from loopwright.trainer.convert import evaluated_event, trained_event, trained_until
from loopwright.trainer.dataset.candidates import REPLAYED
from loopwright.trainer.export.models import Exported, export
from loopwright.trainer.fitting import Fitted, fit
from loopwright.trainer.gate.gates import Incumbent, judge
from loopwright.trainer.gate.verdict import Verdict
from loopwright.trainer.labels.exposures import Spec
from loopwright.trainer.learning.settings import Recipe
from loopwright.trainer.promotion import Policies, promote
from loopwright.trainer.reading import TOPICS, Reading, read_evidence
from loopwright.trainer.reporting import Reporter
from loopwright.trainer.windows import organic_ends, ranges


@dataclass(frozen=True, slots=True)
class Order:
    """What a run was asked for."""

    seed: int
    surface: str
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True, slots=True)
class Standing:
    """What serves when the run begins: the active version, the bundle to start from, the incumbent and its window."""

    version: str
    bundle: PolicyBundle
    incumbent: Incumbent | None
    trained_until: Offsets


@dataclass(slots=True)
class Watch:
    """Seconds of each step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)


async def standing(log: EventLog, store: ModelStore, surface: str) -> Standing:
    """Return what serves on a surface now.

    Raises:
        UnknownSurface: Nothing does, and the default bundle is for another surface.
    """
    async with BundleFeed(log) as feed:
        active = feed.active(surface)
        bundle = feed.get(active.version) if active else None
    if active is None or bundle is None:
        bundle = default_bundle()
        if bundle.surface != surface:
            raise UnknownSurface(f"nothing is active on {surface!r}")
        return Standing("", bundle, None, {})
    pinned = bundle.models
    if not (pinned.two_tower and pinned.pre_ranker and pinned.ranker):
        return Standing(active.version, bundle, None, {})
    until = await trained_until(log, pinned.ranker) or _manifest_window(store, pinned.ranker)
    incumbent = Incumbent(active.version, bundle) if until else None
    return Standing(active.version, bundle, incumbent, until)


def _manifest_window(store: ModelStore, version: str) -> Offsets:
    try:
        return organic_ends(store.manifest(version).details)
    except ModelRejected:  # a store that lost the incumbent: nothing to compare with, and nothing it was trained on
        return {}


async def train(
    log: EventLog,
    clock: HasNow,
    store: ModelStore,
    settings: TrainerSettings,
    order: Order,
    reporter: Reporter,
    policies: Callable[[], AbstractAsyncContextManager[Policies]] | None,
) -> None:
    """Run once and report; promotes through `policies` when given and the gates allow it.

    The channel is opened only then: one that stays idle while models train is closed by the server.

    Raises:
        Fault: NothingToLearn, faults of the log, REPLICA_NOT_READY of a promotion.
    """
    watch = Watch()
    now = await standing(log, store, order.surface)
    features = now.bundle.features
    spec = Spec(tuple(features.user), tuple(features.item), SIGNALS)
    with watch.step("replay"):
        reading = await read_evidence(
            log, spec, order.surface, now.trained_until, lambda share: reporter.progress("replay", share)
        )
    with watch.step("fit"):
        fitted = await asyncio.to_thread(fit, reading.evidence, now.bundle, order.recipe, order.seed, reporter.progress)
    with watch.step("export"):
        reporter.progress("export", 0.0)
        details = _details(reading, fitted, now, order, watch)
        exported = await asyncio.to_thread(export, store, fitted.weights, now.bundle, order.seed, details)
        reporter.progress("export", 1.0)
    candidate = with_models(now.bundle, **exported.versions)
    with watch.step("gate"):
        verdict = await asyncio.to_thread(
            judge, store, candidate, now.incumbent, fitted, reading.evidence, lambda s: reporter.progress("gate", s)
        )
        reporter.progress("gate", 1.0)
    await _record(log, clock, settings, exported, details, now, verdict)
    version = ""
    if policies is not None and verdict.may_serve:
        with watch.step("promote"):
            reporter.progress("promote", 0.0)
            async with policies() as service:
                version = await _promoted(service, candidate, now, verdict, settings)
            reporter.progress("promote", 1.0)
    _tables(reporter, reading, fitted, verdict, not_replayed(now.bundle))
    reporter.result(
        {
            "models": exported.versions,
            "onnx": exported.graphs,
            "gate": {"verdict": verdict.verdict, "reasons": list(verdict.reasons), "figures": verdict.figures},
            "promoted": bool(version),
            "policy_version": version,
            "seconds": watch.seconds,
        }
    )


async def _promoted(
    policies: Policies, candidate: PolicyBundle, now: Standing, verdict: Verdict, settings: TrainerSettings
) -> str:
    if policy_version(candidate) == now.version:  # the very models that serve
        return now.version
    reason = f"trained models, gate {verdict.verdict}"
    return await promote(policies, candidate, now.version, reason, Deadline.after(settings.promote_timeout_s))


def _details(reading: Reading, fitted: Fitted, now: Standing, order: Order, watch: Watch) -> dict[str, Any]:
    judging = reading.evidence.actions.judge
    organic = {place: end for place, end in reading.ends.items() if place in now.trained_until}
    return {
        "windows": ranges(TOPICS, reading.starts, reading.ends),
        "excluded": {
            "why": "organic rows after the incumbent's training judge and do not teach",
            "rows": int(judging.sum()),
            "windows": ranges(TOPICS, now.trained_until, organic),
        },
        "metrics": fitted.metrics,
        "seed": order.seed,
        "settings": asdict(order.recipe),
        "losses": {model: list(tenths) for model, tenths in fitted.losses.items()},
        "seconds": dict(watch.seconds),
    }


async def _record(
    log: EventLog,
    clock: HasNow,
    settings: TrainerSettings,
    exported: Exported,
    details: dict[str, Any],
    now: Standing,
    verdict: Verdict,
) -> None:
    """Append what was trained, with this run's window, and the verdict on it."""
    versions = list(exported.versions.values())
    incumbent = now.incumbent.version if now.incumbent else ""
    events = [trained_event(manifest, details, clock) for manifest in exported.manifests]
    events.append(evaluated_event(versions, incumbent, verdict, clock))
    await log.append_many(MODELS, events, deadline=Deadline.after(settings.append_timeout_s))


def not_replayed(bundle: PolicyBundle) -> list[str]:
    """Return the planned sources that pseudo-decisions lack: sources that a build has added."""
    return [plan.source.name.lower() for plan in bundle.retrieval.plans() if plan.source not in REPLAYED]


def _tables(reporter: Reporter, reading: Reading, fitted: Fitted, verdict: Verdict, lacking: Sequence[str]) -> None:
    reporter.table("dataset", ["what", "count"], [[name, int(n)] for name, n in fitted.metrics.items() if n == int(n)])
    if reading.evidence.left_out:
        reporter.table("left out", ["why", "count"], [list(pair) for pair in reading.evidence.left_out.items()])
    if lacking:
        reporter.table("sources that pseudo-decisions lack", ["source"], [[source] for source in lacking])
    losses = [[model, f"{tenths[0]:.4f}", f"{tenths[-1]:.4f}"] for model, tenths in fitted.losses.items() if tenths]
    reporter.table("mean loss", ["model", "first tenth", "last tenth"], losses)
    rows = [[name, f"{value:.6g}"] for name, value in verdict.figures.items()]
    reporter.table(f"gate: {verdict.verdict}", ["figure", "value"], [*rows, *(["why", why] for why in verdict.reasons)])

"""Manifests and verdicts as the events of the MODELS topic, and what the topic says of earlier trainings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.api.events.v1.model_pb2 import ModelEvaluated, ModelFile, ModelManifest, ModelTrained, OffsetRange
from loopwright.domain.ids import event_id
from loopwright.eventlog import EventLog, Offsets, make_event
from loopwright.eventlog.envelope import HasNow
from loopwright.eventlog.replay import replay
from loopwright.eventlog.topics import MODELS, ORGANIC
from loopwright.modelstore import Manifest
from loopwright.trainer.gate.verdict import Verdict

PRODUCER = "trainer"


def trained_event(manifest: Manifest, details: Mapping[str, Any], clock: HasNow) -> tuple[bytes, Event]:
    """Return key and event that say a model stands in the store, trained as `details` say."""
    message = ModelManifest(
        model_version=manifest.model_version,
        kind=manifest.kind.value,
        files=[ModelFile(name=f.name, sha256=f.sha256, size_bytes=f.size_bytes) for f in manifest.files],
        feature_groups=manifest.feature_groups,
        signals=manifest.signals,
        heads=manifest.heads,
        windows=[OffsetRange(**part) for part in details["windows"]],
        metrics=details["metrics"],
        seed=details["seed"],
        settings_json=json.dumps(details["settings"], sort_keys=True),
    )
    identity = event_id("model_trained", message.SerializeToString(deterministic=True))
    event = make_event(identity, clock.now_ms(), clock, PRODUCER, model_trained=ModelTrained(manifest=message))
    return manifest.model_version.encode(), event


def evaluated_event(versions: list[str], incumbent: str, verdict: Verdict, clock: HasNow) -> tuple[bytes, Event]:
    """Return key and event of a verdict; `incumbent` is the policy version it was held against, "" without one."""
    now_ms = clock.now_ms()
    message = ModelEvaluated(
        model_versions=versions,
        incumbent_policy_version=incumbent,
        verdict=verdict.verdict,
        reason="; ".join(verdict.reasons),
        figures=verdict.figures,
    )
    identity = event_id("model_evaluated", now_ms, message.SerializeToString(deterministic=True))
    return versions[-1].encode(), make_event(identity, now_ms, clock, PRODUCER, model_evaluated=message)


async def trained_until(log: EventLog, version: str) -> Offsets:
    """Return the furthest end in the organic topic of any training that gave this model; {} when the log names none.

    A model can come out of two windows with the same weights; the later training has judged with the rows between.
    """
    found: Offsets = {}
    async for records in replay(log, [MODELS]):
        for record in records:
            manifest = record.event.model_trained.manifest
            if manifest.model_version == version:
                for window in manifest.windows:
                    if window.topic == ORGANIC.name:
                        place = (window.topic, window.partition)
                        found[place] = max(window.end, found.get(place, 0))
    return found

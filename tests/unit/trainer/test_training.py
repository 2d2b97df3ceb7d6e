import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.trainer_world import MINUTE_MS, RECIPE, START_MS, bundle, catalogue, fill, organic, rows

from loopwright.api.events.v1.policy_pb2 import PolicyActivated, PolicyPublished
from loopwright.bundle import PolicyBundle, canonical_json, parse_bundle, policy_version
from loopwright.domain.ids import event_id
from loopwright.eventlog import MemoryBroker, MemoryEventLog, make_event
from loopwright.eventlog.topics import MODELS, POLICIES
from loopwright.lifecycle import FixedClock
from loopwright.modelstore import ModelStore
from loopwright.rpc import Deadline
from loopwright.trainer.config import TrainerSettings
from loopwright.trainer.reporting import Reporter
from loopwright.trainer.training import Order, train

CLOCK = FixedClock(START_MS + 200_000 * MINUTE_MS)
LATER_MS = START_MS + 100_000 * MINUTE_MS


class LogPolicies:
    """PolicyService on a memory log: what is activated is active at once."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._log = MemoryEventLog(broker, producer="policy")
        self._documents: dict[str, PolicyBundle] = {}
        self.activated: list[str] = []

    async def publish(self, document: str, reason: str) -> str:
        found = parse_bundle(document)
        version = policy_version(found)
        self._documents[version] = found
        said = PolicyPublished(policy_version=version, surface="home", canonical=canonical_json(found))
        await self._append(version, policy_published=said)
        return version

    async def activate(self, surface: str, version: str, previous: str, reason: str) -> None:
        self.activated.append(version)
        said = PolicyActivated(policy_version=version, surface=surface, expected_previous=previous)
        await self._append(version, policy_activated=said)

    async def _append(self, version: str, **payload: Any) -> None:
        identity = event_id(version, next(iter(payload)), len(self.activated))
        event = make_event(identity, CLOCK.now_ms(), CLOCK, "policy", surface="home", **payload)
        await self._log.append(POLICIES, b"home", event, deadline=Deadline.after(5))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["LogPolicies"]:
        yield self


class Mesh:
    def __init__(self, folder: Path, partitions: int = 4) -> None:
        self.broker = MemoryBroker(partitions=partitions)
        self.store = ModelStore(folder)
        self.policies = LogPolicies(self.broker)

    async def train(self, *, promote: bool = True, seed: int = 1) -> dict[str, Any]:
        stream = io.StringIO()
        log = MemoryEventLog(self.broker, producer="trainer")
        policies = self.policies.opened if promote else None
        order = Order(seed, "home", RECIPE)
        await train(log, CLOCK, self.store, TrainerSettings(), order, Reporter(stream), policies)
        last: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
        assert last["event"] == "result"
        return last


def later(count: int) -> list[Any]:
    return [organic(user, 23 - user % 2, LATER_MS + user, True, rank=80) for user in range(count)]


async def test_two_meshes_with_other_partitions_and_batches_train_the_same_bytes(tmp_path: Path) -> None:
    one, two = Mesh(tmp_path / "a", 4), Mesh(tmp_path / "b", 8)
    await fill(one.broker, catalogue(24), rows(40, 22, 8), 1000)
    await fill(two.broker, catalogue(24), rows(40, 22, 8), 13)
    first, second = await one.train(promote=False), await two.train(promote=False)
    assert first["onnx"] == second["onnx"]
    assert first["models"] == second["models"]
    assert first["promoted"] is False
    assert first["gate"]["verdict"] == "NO_VERDICT"


async def test_the_first_models_are_promoted_and_on_record(tmp_path: Path) -> None:
    mesh = Mesh(tmp_path)
    await fill(mesh.broker, catalogue(24), rows(40, 22, 8))
    result = await mesh.train()
    assert result["promoted"] is True
    assert mesh.policies.activated == [result["policy_version"]]
    events = mesh.broker.records(MODELS)
    kinds = sorted(e.model_trained.manifest.kind for e in events if e.HasField("model_trained"))
    assert kinds == ["pre_ranker", "ranker", "two_tower"]
    (verdict,) = [e.model_evaluated for e in events if e.HasField("model_evaluated")]
    assert verdict.verdict == "NO_VERDICT"
    details = mesh.store.manifest(result["models"]["ranker"]).details
    assert details["seed"] == 1
    assert sum(w["end"] for w in details["windows"] if w["topic"] == "organic") == 40 * 8


async def test_later_organic_rows_judge_and_are_taught_by_the_run_after(tmp_path: Path) -> None:
    mesh = Mesh(tmp_path)
    await fill(mesh.broker, catalogue(24), rows(60, 22, 8))
    first = await mesh.train()
    await fill(mesh.broker, [], later(60))
    second = await mesh.train()
    assert second["gate"]["verdict"] == "PASSED"
    assert second["gate"]["figures"]["compared_users"] == 60
    assert second["models"] == first["models"]  # nothing new that may teach: the very same bytes
    assert second["policy_version"] == first["policy_version"]
    assert len(mesh.policies.activated) == 1
    third = await mesh.train()
    assert third["models"] != first["models"]
    trained = [e.model_trained.manifest for e in mesh.broker.records(MODELS) if e.HasField("model_trained")]
    newest = max((m for m in trained if m.model_version == third["models"]["ranker"]), key=lambda m: m.windows[0].end)
    assert newest.metrics["judge_rows"] == 0
    assert newest.metrics["actions"] == 60 * 8 + 60


async def test_a_refused_candidate_is_not_promoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = Mesh(tmp_path)
    await fill(mesh.broker, catalogue(24), rows(60, 22, 8))
    await mesh.train()
    await fill(mesh.broker, [], later(60))
    # No difference is small enough: the comparison refuses whatever is not better.
    monkeypatch.setattr("loopwright.trainer.gate.gates._ERRORS", -1.0)
    monkeypatch.setattr("loopwright.trainer.gate.gates.paired", lambda one, two: (-0.1, 0.05))
    result = await mesh.train(seed=2)
    assert result["gate"]["verdict"] == "REFUSED"
    assert result["promoted"] is False
    assert len(mesh.policies.activated) == 1
    verdicts = [e.model_evaluated.verdict for e in mesh.broker.records(MODELS) if e.HasField("model_evaluated")]
    assert sorted(verdicts) == ["NO_VERDICT", "REFUSED"]


def test_the_shipped_bundle_is_the_recipes() -> None:
    shipped = bundle()
    assert dict(shipped.objective.weights) == {"engage": 1.0, "satisfied": 1.0}
    assert shipped.diversity.mmr_lambda == 0.97
    assert shipped.constraints.topic_cap == 10

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.recorded_decisions import NOW_MS, RecordedLog, ranked_bundle
from tests.unit.cli.conftest import FakeMesh

from loopwright.api.recommender.v1.recommender_service_pb2 import ExplainResponse
from loopwright.cli.explaining import command
from loopwright.eventlog import MemoryEventLog
from loopwright.pipeline.convert.decision import record_to_proto
from loopwright.pipeline.convert.degradations import versions_to_proto
from loopwright.pipeline.convert.parsing import timestamp
from loopwright.pipeline.record import DecisionRecord


@pytest.fixture
def decisions(mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> list[DecisionRecord]:
    """Six decisions on a log that the command reads, and that the front door explains."""
    made = RecordedLog.new(mesh.data_dir)
    bundle = ranked_bundle(made.store)

    async def fill() -> list[DecisionRecord]:
        await made.activate(bundle, NOW_MS - 1)
        return [await made.decide(bundle, number) for number in range(6)]

    records = asyncio.run(fill())

    class Kafka:
        @staticmethod
        @asynccontextmanager
        async def open(bootstrap: str, *, producer: str) -> AsyncIterator[MemoryEventLog]:
            yield made.log(producer)

    monkeypatch.setattr(command, "KafkaEventLog", Kafka)
    for record in records:
        explain_as(mesh, record)
    return records


def explain_as(mesh: FakeMesh, record: DecisionRecord) -> None:
    decided, funnel = record_to_proto(record)
    mesh.door.decisions[record.decision_id.hex()] = ExplainResponse(
        decision=decided, funnel=funnel, surface="home", occurred_at=timestamp(record.occurred_at_ms),
        versions=versions_to_proto(record.versions), item_ids=[f"item-{n}" for n in range(60)],
    )  # fmt: skip


def test_a_decision_is_explained_and_proven(mesh: FakeMesh, decisions: list[DecisionRecord]) -> None:
    name = decisions[2].decision_id.hex()
    done = mesh.run("explain", name, "--verify", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["proof"]["holds"] and document["proof"]["full"]
    assert "proof" not in json.loads(mesh.run("explain", name, "--json").stdout)
    tables = mesh.run("explain", name, "--verify")
    assert tables.exit_code == 0 and "proof of" in tables.output


def test_a_decision_that_does_not_prove_is_exit_code_1_with_the_links(
    mesh: FakeMesh, decisions: list[DecisionRecord]
) -> None:
    explain_as(mesh, replace(decisions[2], seed=decisions[2].seed + 1))
    done = mesh.run("explain", decisions[2].decision_id.hex(), "--verify")
    assert done.exit_code == 1
    assert "broken: seed" in done.stderr


def test_a_sample_of_the_log_is_proven(mesh: FakeMesh, decisions: list[DecisionRecord]) -> None:
    done = mesh.run("explain", "--verify", "--sample", "4", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["eligible"], said["sampled"], said["proven"], said["broken_links"]) == (6, 4, 4, {})
    assert "4 of 4 drawn from 6" in mesh.run("explain", "--verify", "--sample", "4").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say one"),
        (["--sample", "3"], "say one"),
        (["ab", "--verify"], "32"),
        (["0" * 32], "DECISION_NOT_FOUND"),
    ],
)
def test_what_cannot_be_explained_is_said(
    mesh: FakeMesh, decisions: list[DecisionRecord], arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = mesh.run("explain", *arguments)
    assert done.exit_code == 1 and said in done.stderr

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.bad_events import Bad, corrupt_values, organic_event, poison_events
from tests.unit.cli.dead_letters.test_letters import put
from typer.testing import CliRunner, Result

from loopwright.cli.dead_letters import command
from loopwright.cli.dead_letters.command import parse_since
from loopwright.cli.main import app
from loopwright.cli.mesh_access import NO_MESH
from loopwright.eventlog import ORGANIC, EventLog, MemoryBroker, MemoryEventLog
from loopwright.faults import InvalidRequest
from loopwright.localmesh.mesh import own_record
from loopwright.localmesh.run_file import RunFile


class Mesh:
    """A data folder whose log is in memory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.broker = data_dir, MemoryBroker()
        RunFile(supervisor=own_record("supervisor"), addresses={"kafka": "127.0.0.1:1"}).write(data_dir)

    @asynccontextmanager
    async def opened(self, bootstrap: str, *, producer: str) -> AsyncIterator[EventLog]:
        yield MemoryEventLog(self.broker, producer=producer)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["dlq", *arguments, "--data-dir", str(self.data_dir)])


@pytest.fixture
async def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """Two letters that can be used by now, two of poison and one that does not decode."""
    made = Mesh(tmp_path / "mesh")
    monkeypatch.setattr(command.KafkaEventLog, "open", made.opened)
    for offset in (10, 11):
        good = organic_event(offset, bytes([offset]) * 16)
        now_good = Bad("good", ORGANIC, bytes([offset]) * 16, good.SerializeToString())
        await put(made.broker, offset, now_good, "UNKNOWN_PAYLOAD", "")
    for offset, bad in enumerate(poison_events(2), 20):
        await put(made.broker, offset, bad)
    await put(made.broker, 30, corrupt_values(1)[0], "UNDECODABLE", "")
    return made


def on_log(mesh: Mesh) -> int:
    return len(mesh.broker.records(ORGANIC))


def test_list_counts_and_filters(mesh: Mesh) -> None:
    found = json.loads(mesh.run("list", "--json").stdout)
    assert {(c["reason"], c["letters"], c["usable_now"]) for c in found["counts"]} == {
        ("UNKNOWN_PAYLOAD", 2, 2), ("POISON", 2, 0), ("UNDECODABLE", 1, 0)
    }  # fmt: skip
    assert len(found["letters"]) == 5
    some = json.loads(mesh.run("list", "--json", "--reason", "poison", "--topic", "organic", "--limit", "1").stdout)
    assert [c["reason"] for c in some["counts"]] == ["POISON"] and len(some["letters"]) == 1
    assert json.loads(mesh.run("list", "--json", "--since", "2100-01-01").stdout)["counts"] == []
    assert "no dead letters" in mesh.run("list", "--topic", "actions").stdout
    assert "organic" in mesh.run("list").stdout


def test_show_prints_the_event_or_the_bytes(mesh: Mesh) -> None:
    shown = mesh.run("show", "organic/1@20")
    assert shown.exit_code == 0 and "organic_interaction" in shown.stdout and "POISON" in shown.stdout
    assert "4bf92f3577b34da6a3ce929d0e0e4736" in shown.stdout
    assert "000000  " in mesh.run("show", "organic/1@30").stdout
    assert json.loads(mesh.run("show", "organic/1@30", "--json").stdout)["event"] is None
    for place, said in (("organic/1@99", "no dead letter"), ("organic", "topic/partition@offset")):
        missing = mesh.run("show", place)
        assert missing.exit_code == 1 and said in missing.stderr


def test_replay_only_says_what_it_would_do_until_told_to(mesh: Mesh) -> None:
    asked = mesh.run("replay", "organic/1@10")
    assert asked.exit_code == 0 and "--yes" in asked.stdout and on_log(mesh) == 0
    done = json.loads(mesh.run("replay", "organic/1@10", "--yes", "--json").stdout)
    assert on_log(mesh) == 1
    assert done["acted"] and done["letters"][0]["now"].startswith("organic/")
    assert mesh.broker.records(ORGANIC)[0] == organic_event(10, bytes([10]) * 16)


def test_all_of_a_reason_go_back_and_the_others_stay(mesh: Mesh) -> None:
    done = mesh.run("replay", "--all-of", "organic/UNKNOWN_PAYLOAD", "--yes")
    assert done.exit_code == 0 and "2 sent back" in done.stdout and on_log(mesh) == 2


def test_what_is_still_bad_is_refused_with_its_flaw(mesh: Mesh) -> None:
    refused = mesh.run("replay", "--all-of", "organic/POISON", "--yes", "--json")
    assert refused.exit_code == 1 and "cannot use" in refused.stderr and on_log(mesh) == 0
    assert {entry["flaw"] for entry in json.loads(refused.stdout)["refused"]} == {"subject is not 16 bytes"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say one PLACE"),
        (("organic/1@10", "--all-of", "organic/POISON"), "say one PLACE"),
        (("--all-of", "organic"), "TOPIC/REASON"),
        (("--all-of", "actions/POISON"), "no dead letters of"),
        (("organic/1@99",), "no dead letter about"),
    ],
)
def test_a_wrong_question_is_refused(mesh: Mesh, arguments: tuple[str, ...], said: str) -> None:
    found = mesh.run("replay", *arguments, "--yes")
    assert found.exit_code == 1 and said in found.stderr and on_log(mesh) == 0


def test_without_a_mesh_the_mend_is_said(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["dlq", "list", "--data-dir", str(tmp_path)])
    assert found.exit_code == NO_MESH and "loopwright up" in found.stderr


def test_since_is_a_span_or_a_time() -> None:
    assert parse_since("30m", 10_000_000) == 10_000_000 - 1_800_000
    assert parse_since("2d", 10**12) == 10**12 - 172_800_000
    assert parse_since("1970-01-01T00:01:00", 0) == 60_000
    assert parse_since("90", 0) == 90_000
    for text in ("yesterday", "nan", "inf"):
        with pytest.raises(InvalidRequest):
            parse_since(text, 0)

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.recorded_decisions import NOW_MS, RecordedLog
from tests.unit.cli.conftest import FakeMesh

from loopwright.bundle import default_bundle, with_models
from loopwright.cli import replaying
from loopwright.cli.replaying import comparison_document, pinned_two_tower, read_offsets
from loopwright.faults import DeadlineExceeded, InvalidRequest
from loopwright.localmesh.replaying import Comparison, Side
from loopwright.projector.store import Hashes

SIDE = Side(Hashes("u" * 64, "i" * 64, 5, 8), "x" * 32)
OTHER = Side(Hashes("v" * 64, "i" * 64, 5, 8), "x" * 32)


def found(live: Side | None, fresh: Side = SIDE, serving: str = "") -> Comparison:
    return Comparison({("organic", 0): 7}, live, fresh, serving, 12, 0, 0)


def test_offsets_are_a_json_text_or_a_file_of_it(tmp_path: Path) -> None:
    text = '{"organic/0":12}'
    (tmp_path / "offsets.json").write_text(text, "utf-8")
    assert read_offsets("") is None
    assert read_offsets(text) == read_offsets(str(tmp_path / "offsets.json")) == {("organic", 0): 12}
    for bad in ('{"organic":1}', '{"organic/0":-1}', str(tmp_path / "none.json")):
        with pytest.raises(InvalidRequest):
            read_offsets(bad)


def test_a_comparison_is_one_json_object() -> None:
    said = json.loads(json.dumps(comparison_document(found(SIDE, serving="x" * 32))))
    assert said["equal"] and said["offsets"] == {"organic/0": 7}
    assert said["live"] == said["fresh"]
    assert comparison_document(found(OTHER))["differences"] == ["user rows"]
    assert comparison_document(found(SIDE, serving="y" * 32))["differences"] == ["serving index"]
    assert not comparison_document(found(None))["equal"]


@pytest.mark.parametrize(
    ("comparison", "code", "said"),
    [
        (found(SIDE, serving="x" * 32), 0, ""),
        (found(OTHER), 1, "different: user rows"),
        (found(None), 1, "nothing was compared"),
    ],
)
def test_the_exit_code_says_whether_both_sides_are_equal(
    mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch, comparison: Comparison, code: int, said: str
) -> None:
    async def compared(*arguments: object) -> Comparison:
        return comparison

    monkeypatch.setattr(replaying, "_compared", compared)
    done = mesh.run("replay", "--into", "fresh")
    assert done.exit_code == code and said in done.stderr
    assert "12 records folded" in done.output
    assert json.loads(mesh.run("replay", "--into", "fresh", "--json").stdout)["equal"] == (code == 0)


def test_a_failure_is_said_with_its_reason(mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*arguments: object) -> Comparison:
        raise DeadlineExceeded("the live projector did not park")

    monkeypatch.setattr(replaying, "_compared", failing)
    done = mesh.run("replay", "--into", "fresh")
    assert done.exit_code == 1 and "did not park" in done.stderr
    assert mesh.run("replay", "--into", "elsewhere").exit_code == 2


def test_the_command_asks_the_front_door_for_the_index_that_answers(
    mesh: FakeMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = RecordedLog.new(mesh.data_dir)

    @asynccontextmanager
    async def opened(bootstrap: str, *, producer: str):  # type: ignore[no-untyped-def]
        yield made.log(producer)

    @asynccontextmanager
    async def stores(url: str):  # type: ignore[no-untyped-def]
        yield "live", "fresh"

    async def replay_into(log, live, fresh, **options):  # type: ignore[no-untyped-def]
        assert (live, fresh, options["offsets"], options["two_tower"]) == ("live", "fresh", None, "")
        options["told"]("folding the log", 0.5)
        return found(SIDE, serving=await options["serving_epoch"]())

    monkeypatch.setattr(replaying.KafkaEventLog, "open", opened)
    monkeypatch.setattr(replaying, "replay_stores", stores)
    monkeypatch.setattr(replaying, "replay_into", replay_into)
    done = mesh.run("replay", "--into", "fresh", "--json")
    assert json.loads(done.stdout)["serving_index"] == "e" * 32
    assert mesh.door.asked[0].k == 1


async def test_the_two_tower_compared_is_the_one_that_the_active_bundle_pins(tmp_path: Path) -> None:
    made = RecordedLog.new(tmp_path)
    assert await pinned_two_tower(made.log(), "home") == ""
    await made.activate(with_models(default_bundle(), two_tower="a" * 64), NOW_MS)
    assert await pinned_two_tower(made.log(), "home") == "a" * 64

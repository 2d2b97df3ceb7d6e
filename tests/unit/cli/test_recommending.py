import asyncio
import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import FakeMesh, listed

from loopwright.api.common.v1.decision_pb2 import EXPLORATION_OFF, PURPOSE_EVALUATE
from loopwright.cli.clients import Ask
from loopwright.cli.recommending import (
    DEGRADED,
    IN_FLIGHT,
    ask_all,
    read_time,
    read_users,
    shortcomings,
    write_lists,
)
from loopwright.domain.enums import DegradationReason, Stage
from loopwright.faults import DeadlineExceeded, InvalidRequest, UnknownSurface
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.types import Degradation

SHORT = Degradation(Stage.DECIDE, DegradationReason.SHORT_SLATE)
LATE = Degradation(Stage.RETRIEVE, DegradationReason.SOURCE_FAILED, "fresh")


class Door:
    """Degraded, or failing, the first `bad` times a user is asked."""

    def __init__(self, bad: dict[str, int] | None = None, failure: Exception | None = None) -> None:
        self.bad, self.failure = dict(bad or {}), failure
        self.asked: list[str] = []
        self.ids: list[str] = []
        self.open = self.most_open = 0

    async def evaluate(self, ask: Ask, request_id: str, timeout_s: float) -> Answer:
        self.asked.append(ask.user_id)
        self.ids.append(request_id)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await asyncio.sleep(0.001)
        self.open -= 1
        if self.bad.get(ask.user_id, 0) > 0:
            self.bad[ask.user_id] -= 1
            if self.failure is not None:
                raise self.failure
            return listed("late", degradations=(LATE,))
        return listed(f"{ask.user_id}-1", f"{ask.user_id}-2", degradations=(SHORT,))


def asks(count: int) -> list[Ask]:
    return [Ask(f"u{n}", 20, "home") for n in range(count)]


async def asked(door: Door, count: int):  # type: ignore[no-untyped-def]
    return await ask_all(door, asks(count), run_id="run", pause_s=0)


async def test_every_user_gets_a_list_in_the_order_asked_and_a_few_are_asked_at_once() -> None:
    door = Door()
    found = await asked(door, 30)
    assert list(found.lists) == [f"u{n}" for n in range(30)]
    assert found.lists["u7"] == ("u7-1", "u7-2")
    assert found.degraded == {} and found.policy_versions == ("p" * 64,)
    assert door.most_open == IN_FLIGHT
    assert len(set(door.ids)) == 30


async def test_a_degraded_answer_is_asked_again_twice_under_new_request_ids() -> None:
    door = Door({"u1": 2, "u2": 1})
    found = await asked(door, 4)
    assert found.degraded == {} and found.lists["u1"] == ("u1-1", "u1-2")
    assert sorted(door.asked) == ["u0", "u1", "u1", "u1", "u2", "u2", "u3"]
    assert len(set(door.ids)) == 7


async def test_users_whose_answers_stay_degraded_are_named_with_the_reason() -> None:
    found = await asked(Door({"u1": 3}), 3)
    assert list(found.lists) == ["u0", "u2"]
    assert found.degraded == {"u1": "retrieve SOURCE_FAILED fresh"}


async def test_a_late_answer_counts_as_degraded_and_a_refusal_ends_the_run() -> None:
    assert (await asked(Door({"u0": 1}, DeadlineExceeded()), 2)).degraded == {}
    assert (await asked(Door({"u0": 3}, DeadlineExceeded()), 2)).degraded == {"u0": "DEADLINE_EXCEEDED"}
    with pytest.raises(UnknownSurface):
        await asked(Door({"u0": 1}, UnknownSurface()), 2)


def test_a_short_slate_alone_is_whole() -> None:
    assert shortcomings((SHORT,)) == ""
    assert shortcomings((SHORT, LATE)) == "retrieve SOURCE_FAILED fresh"


def test_users_are_read_one_a_line_each_once(tmp_path: Path) -> None:
    path = tmp_path / "users.txt"
    path.write_bytes("\ufeffanna\r\n\n  bob \nü\u2028x\nanna\n".encode())
    assert read_users(path) == ["anna", "bob", "ü\u2028x"]


@pytest.mark.parametrize("content", [b"\xff\n", b"x" * 257])
def test_a_users_file_that_cannot_be_asked_for_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "users.txt"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"users\.txt"):
        read_users(path)
    with pytest.raises(InvalidRequest, match=r"none\.txt"):
        read_users(tmp_path / "none.txt")


def test_a_time_is_unix_seconds_or_iso_8601_and_defaults_to_now() -> None:
    assert read_time("") is None
    assert read_time("893286638.5") == 893_286_638_500
    assert read_time("1998-04-23T00:00:00Z") == 893_289_600_000
    for bad in ("soon", "-1", "4102444800", "nan"):
        with pytest.raises(InvalidRequest):
            read_time(bad)


def test_lists_are_one_json_object_in_order_and_nothing_half_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lists.json"
    write_lists(path, {"b": ("x", "ü"), "a": ()})
    assert list(json.loads(path.read_text("utf-8")).items()) == [("b", ["x", "ü"]), ("a", [])]
    assert [p.name for p in path.parent.iterdir()] == ["lists.json"]


def users_file(folder: Path, *users: str) -> str:
    path = folder / "users.txt"
    path.write_text("\n".join(users) + "\n", "utf-8")
    return str(path)


def test_the_command_asks_the_front_door_to_judge_without_exploring(mesh: FakeMesh, tmp_path: Path) -> None:
    out = tmp_path / "lists.json"
    done = mesh.run(
        "recommend", "--users", users_file(tmp_path, "u1", "u2"), "--k", "7", "--at", "893286638", "--out", str(out),
        "--no-explore", "--record-funnel", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(out.read_text("utf-8")) == {"u1": ["a", "b"], "u2": ["a", "b"]}
    assert json.loads(done.stdout)["decisions"] == {"u1": "00" * 16, "u2": "00" * 16}
    request = mesh.door.asked[0]
    assert (request.purpose, request.exploration, request.k) == (PURPOSE_EVALUATE, EXPLORATION_OFF, 7)
    assert request.decide_at.seconds == 893_286_638 and request.record_funnel


def test_an_answer_that_stays_degraded_is_exit_code_3_and_leaves_the_old_file_alone(
    mesh: FakeMesh, tmp_path: Path
) -> None:
    mesh.door.answer = lambda request: listed("a", degradations=(LATE,) if request.user_id == "u2" else ())
    out = tmp_path / "lists.json"
    out.write_text("before", "utf-8")
    done = mesh.run("recommend", "--users", users_file(tmp_path, "u1", "u2"), "--out", str(out))
    assert done.exit_code == DEGRADED == 3
    assert "u2: retrieve SOURCE_FAILED fresh" in done.stderr
    assert out.read_text("utf-8") == "before"
    assert [r.user_id for r in mesh.door.asked].count("u2") == 3


def test_an_unknown_surface_is_refused_with_its_reason(mesh: FakeMesh, tmp_path: Path) -> None:
    done = mesh.run(
        "recommend", "--users", users_file(tmp_path, "u1"), "--out", str(tmp_path / "x.json"), "--surface", "shop"
    )
    assert done.exit_code == 1
    assert "UNKNOWN_SURFACE" in done.stderr

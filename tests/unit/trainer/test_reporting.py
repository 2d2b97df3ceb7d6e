import io
import json

from loopwright.faults import InvalidRequest
from loopwright.trainer.reporting import Reporter


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_progress_is_told_when_it_moves_and_at_the_ends() -> None:
    stream = io.StringIO()
    reporter = Reporter(stream)
    for share in (0.0, 0.001, 0.5, 0.505, 1.0):
        reporter.progress("towers", share)
    reporter.progress("ranker", 0.0)
    assert [(line["step"], line["done"]) for line in lines(stream)] == [
        ("towers", 0.0), ("towers", 0.5), ("towers", 1.0), ("ranker", 0.0),
    ]  # fmt: skip


def test_every_line_is_one_json_object_named_by_its_event() -> None:
    stream = io.StringIO()
    reporter = Reporter(stream)
    reporter.table("t", ["a"], [[1]])
    reporter.result({"promoted": False})
    reporter.fault(InvalidRequest("broken"))
    assert [line["event"] for line in lines(stream)] == ["table", "result", "fault"]
    assert lines(stream)[2]["reason"] == "INVALID_REQUEST"

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loopwright.faults import InvalidRequest
from loopwright.simulator.job import main, read_tastes


def test_tastes_are_read_as_user_to_item_to_rating(tmp_path: Path) -> None:
    file = tmp_path / "tastes.json"
    file.write_text(json.dumps({"ann": {"7": 4}, "bob": {}}))
    assert read_tastes(file) == {"ann": {"7": 4.0}, "bob": {}}


@pytest.mark.parametrize("content", ["", "[1]", '{"ann": 3}', '{"ann": {"7": "good"}}', "{}"])
def test_tastes_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tastes.json"
    file.write_text(content)
    with pytest.raises(InvalidRequest, match=r"tastes\.json"):
        read_tastes(file)


def test_the_job_ends_with_a_fault_line_when_it_cannot_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loopwright.simulator.job.configure", lambda service, level: None)  # the test's own logs stay
    code = main(["--tastes", str(tmp_path / "absent.json"), "--count", "1"])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (code, last["event"], last["reason"]) == (1, "fault", "INVALID_REQUEST")

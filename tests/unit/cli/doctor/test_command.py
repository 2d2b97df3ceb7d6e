import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loopwright.cli.doctor import command
from loopwright.cli.doctor.command import examine
from loopwright.cli.doctor.finding import Finding, State
from loopwright.cli.main import app


def test_every_check_is_told_and_looks_at_the_given_folders(tmp_path: Path) -> None:
    told: list[str] = []
    found = examine(tmp_path / "data", tmp_path / "cache", told.append)
    names = [finding.check for finding in found]
    assert names == [
        "python", "hnswlib", "java", "kafka jars", "redis", "data set", "open files", "bindings", "data folder", "disk",
        "model store", "wall clock", "run.json",
    ]  # fmt: skip
    states = {finding.check: finding.state for finding in found}
    assert states["kafka jars"] is State.BROKEN and states["run.json"] is State.NOTE
    assert all(finding.mend for finding in found if finding.state is not State.OK)
    assert len(told) == 13


@pytest.mark.parametrize(("state", "code"), [(State.OK, 0), (State.NOTE, 0), (State.BROKEN, 1)])
def test_only_what_is_broken_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State, code: int
) -> None:  # fmt: skip
    monkeypatch.setattr(command, "examine", lambda *a: [Finding("java", state, "found", "mend")])
    done = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    assert done.exit_code == code and "found" in done.output
    assert f"mend:{'':8}mend" in done.output
    assert done.output.splitlines()[-1] == ("1 broken" if code else "nothing is broken")
    said = json.loads(CliRunner().invoke(app, ["doctor", "--json", "--data-dir", str(tmp_path)]).stdout)
    assert said["broken"] == bool(code) and said["findings"][0]["check"] == "java"

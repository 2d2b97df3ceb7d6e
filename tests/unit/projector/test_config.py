from pathlib import Path

import pytest
from pydantic import ValidationError

import loopwright.projector
from loopwright.lifecycle import ServiceSettings
from loopwright.projector.config import Pace, ProjectorSettings

README = Path(loopwright.projector.__file__).with_name("README.md")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_PROJECTOR_REDIS_URL", "redis://10.0.0.1:1/0")
    monkeypatch.setenv("LOOPWRIGHT_PROJECTOR_PACE__BATCH_RECORDS", "9")
    settings = ProjectorSettings()
    assert (settings.replica, settings.redis_url) == ("projector-0", "redis://10.0.0.1:1/0")
    assert settings.pace == Pace(batch_records=9)


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        ProjectorSettings(pace=Pace(batch_records=0))


def test_the_readme_has_a_row_for_every_setting() -> None:
    lines = README.read_text("utf-8").splitlines()
    fields = {name: field for name, field in ProjectorSettings.model_fields.items() if name != "pace"}
    fields |= {f"pace.{name}": field for name, field in Pace.model_fields.items()}
    for name, field in fields.items():
        if name not in ServiceSettings.model_fields:
            assert any(line.startswith(f"| `{name}` |") and f"| {field.description} |" in line for line in lines), name

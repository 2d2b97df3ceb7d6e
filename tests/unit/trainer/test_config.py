from pathlib import Path

import pytest
from pydantic import ValidationError

import loopwright.trainer
from loopwright.lifecycle import ServiceSettings
from loopwright.trainer.config import TrainerSettings

README = Path(loopwright.trainer.__file__).with_name("README.md")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_TRAINER_MODEL_STORE_PATH", "/srv/models")
    monkeypatch.setenv("LOOPWRIGHT_TRAINER_CHANNELS__RESERVE_S", "0.1")
    settings = TrainerSettings()
    assert (settings.model_store_path, settings.channels.reserve_s) == (Path("/srv/models"), 0.1)


def test_a_wait_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        TrainerSettings(promote_timeout_s=0)


def test_the_readme_has_a_row_for_every_setting() -> None:
    lines = README.read_text("utf-8").splitlines()
    for name, field in TrainerSettings.model_fields.items():
        if name not in ServiceSettings.model_fields:
            assert any(line.startswith(f"| `{name}` |") and f"| {field.description} |" in line for line in lines), name

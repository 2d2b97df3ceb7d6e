from __future__ import annotations

from pathlib import Path

import pytest

import loopwright.simulator
from loopwright.simulator.config import SimulatorSettings

README = Path(loopwright.simulator.__file__).with_name("README.md")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_SIMULATOR_RECOMMENDER_TARGET", "127.0.0.1:1")
    assert SimulatorSettings().recommender_target == "127.0.0.1:1"


def test_the_readme_states_every_setting_with_its_description() -> None:
    text = README.read_text("utf-8")
    for name, field in SimulatorSettings.model_fields.items():
        assert f"| `{name}` |" in text
        assert str(field.description) in text

from pathlib import Path

import pytest
from pydantic import ValidationError

import loopwright.monitor
from loopwright.lifecycle import ServiceSettings
from loopwright.monitor.config import MonitorSettings

README = Path(loopwright.monitor.__file__).with_name("README.md")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_MONITOR_SUMMARY_PORT", "9465")
    monkeypatch.setenv("LOOPWRIGHT_MONITOR_INTERVAL_S", "0.5")
    settings = MonitorSettings()
    assert (settings.replica, settings.summary_port, settings.interval_s) == ("monitor-0", 9465, 0.5)


def test_a_window_of_no_day_is_refused() -> None:
    with pytest.raises(ValidationError):
        MonitorSettings(exposure_window_days=0)


def test_the_readme_has_a_row_for_every_setting() -> None:
    text = README.read_text("utf-8")
    for name, field in MonitorSettings.model_fields.items():
        if name not in ServiceSettings.model_fields:
            assert f"| `{name}` | {field.default:g} | {field.description} |" in text

from __future__ import annotations

from pathlib import Path

import loopwright.hydration
from loopwright.hydration.config import HydrationSettings

README = Path(loopwright.hydration.__file__).with_name("README.md")


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("LOOPWRIGHT_HYDRATION_REDIS_URL", "redis://10.0.0.1:1/0")
    monkeypatch.setenv("LOOPWRIGHT_HYDRATION_RPC__PORT", "0")
    settings = HydrationSettings()
    assert (settings.replica, settings.redis_url, settings.rpc.port) == ("hydration-0", "redis://10.0.0.1:1/0", 0)
    assert settings.redis_timeout_ms == 20.0


def test_the_readme_states_every_setting_with_its_description():
    text = README.read_text("utf-8")
    own = set(HydrationSettings.model_fields) - set(HydrationSettings.__mro__[1].model_fields)
    for name in own:
        assert f"| `{name}` |" in text
        assert str(HydrationSettings.model_fields[name].description) in text

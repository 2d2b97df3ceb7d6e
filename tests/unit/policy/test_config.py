from pathlib import Path

import pytest
from pydantic import ValidationError

import loopwright.policy
from loopwright.lifecycle import ServiceSettings
from loopwright.policy.config import PolicySettings

README = Path(loopwright.policy.__file__).with_name("README.md")


def test_settings_come_from_the_environment_under_the_services_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_POLICY_RPC__PORT", "7999")
    monkeypatch.setenv("LOOPWRIGHT_POLICY_FIRST_START_TIMEOUT_S", "3")
    settings = PolicySettings()
    assert (settings.rpc.port, settings.first_start_timeout_s, settings.replica) == (7999, 3.0, "policy-0")


def test_a_timeout_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        PolicySettings(first_start_timeout_s=0)


def test_the_readme_has_a_row_for_every_setting() -> None:
    text = README.read_text("utf-8")
    for name, field in PolicySettings.model_fields.items():
        if name not in ServiceSettings.model_fields:
            assert any(f"`{name}`" in line and str(field.description) in line for line in text.splitlines()), name

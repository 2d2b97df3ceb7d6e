from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import loopwright.exposure
from loopwright.exposure.config import ExposureSettings

README = Path(loopwright.exposure.__file__).with_name("README.md")


def test_the_defaults_serve_on_loopback():
    settings = ExposureSettings()
    assert settings.replica == "exposure-0"
    assert settings.token_keys() == {1: b"loopwright-development-token-key"}


def test_the_published_token_key_is_refused_beyond_loopback():
    beyond = {"host": "0.0.0.0", "allow_insecure": True}
    with pytest.raises(ValidationError, match="token_key"):
        ExposureSettings(rpc=beyond)
    assert ExposureSettings(rpc=beyond, token_key="another key").rpc.host == "0.0.0.0"


def test_keys_come_from_the_environment_and_retired_ones_verify(monkeypatch):
    monkeypatch.setenv("LOOPWRIGHT_EXPOSURE_TOKEN_KEY", "new")
    monkeypatch.setenv("LOOPWRIGHT_EXPOSURE_TOKEN_KEY_ID", "2")
    monkeypatch.setenv("LOOPWRIGHT_EXPOSURE_RETIRED_TOKEN_KEYS", '{"1": "old"}')
    monkeypatch.setenv("LOOPWRIGHT_EXPOSURE_RPC__PORT", "0")
    settings = ExposureSettings()
    assert settings.token_keys() == {1: b"old", 2: b"new"}
    assert settings.rpc.port == 0


def test_one_key_id_cannot_name_two_keys():
    with pytest.raises(ValidationError, match="retired_token_keys"):
        ExposureSettings(retired_token_keys={1: "old"})


def test_the_readme_states_every_setting_with_its_description():
    text = README.read_text("utf-8")
    own = set(ExposureSettings.model_fields) - set(ExposureSettings.__mro__[1].model_fields)
    for name in own:
        field = ExposureSettings.model_fields[name]
        assert f"| `{name}` |" in text
        assert str(field.description) in text

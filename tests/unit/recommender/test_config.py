from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import loopwright.recommender
from loopwright.recommender.config import RecommenderSettings

README = Path(loopwright.recommender.__file__).with_name("README.md")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_RECOMMENDER_RANKING_TARGET", "127.0.0.1:1")
    monkeypatch.setenv("LOOPWRIGHT_RECOMMENDER_RPC__PORT", "0")
    settings = RecommenderSettings()
    assert (settings.replica, settings.ranking_target, settings.rpc.port) == ("recommender-0", "127.0.0.1:1", 0)


def test_the_published_subject_key_is_refused_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_RECOMMENDER_RPC__HOST", "0.0.0.0")
    monkeypatch.setenv("LOOPWRIGHT_RECOMMENDER_RPC__ALLOW_INSECURE", "true")
    with pytest.raises(ValidationError, match="subject_key"):
        RecommenderSettings()
    monkeypatch.setenv("LOOPWRIGHT_RECOMMENDER_SUBJECT_KEY", "one of our own")
    assert RecommenderSettings().rpc.host == "0.0.0.0"


def test_the_readme_states_every_setting_with_its_description() -> None:
    text = README.read_text("utf-8")
    own = set(RecommenderSettings.model_fields) - set(RecommenderSettings.__mro__[1].model_fields)
    for name in own:
        assert f"| `{name}` |" in text
        assert str(RecommenderSettings.model_fields[name].description) in text

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import loopwright.ingest
from loopwright.ingest.config import IngestSettings

README = Path(loopwright.ingest.__file__).with_name("README.md")


def test_the_published_key_is_refused_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_INGEST_RPC", '{"host": "0.0.0.0", "allow_insecure": true}')
    with pytest.raises(ValidationError, match="development key"):
        IngestSettings()
    monkeypatch.setenv("LOOPWRIGHT_INGEST_SUBJECT_KEY", "one of our own")
    assert IngestSettings().rpc.host == "0.0.0.0"


def test_the_subject_key_is_not_shown() -> None:
    assert "development" not in repr(IngestSettings())


def test_the_readme_states_every_setting_with_its_description() -> None:
    text = README.read_text("utf-8")
    own = set(IngestSettings.model_fields) - set(IngestSettings.__mro__[1].model_fields)
    for name in own:
        assert f"| `{name}` |" in text
        assert str(IngestSettings.model_fields[name].description) in text

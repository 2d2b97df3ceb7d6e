from pathlib import Path

import pytest

import loopwright.retrieval
from loopwright.retrieval.config import RetrievalSettings

README = Path(loopwright.retrieval.__file__).with_name("README.md")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_RETRIEVAL_MODEL_STORE_PATH", "/srv/models")
    monkeypatch.setenv("LOOPWRIGHT_RETRIEVAL_RPC__PORT", "0")
    settings = RetrievalSettings()
    assert (settings.replica, settings.model_store_path, settings.rpc.port) == ("retrieval-0", Path("/srv/models"), 0)


def test_the_readme_states_every_setting_with_its_description() -> None:
    text = README.read_text("utf-8")
    own = set(RetrievalSettings.model_fields) - set(RetrievalSettings.__mro__[1].model_fields)
    for name in own:
        assert f"| `{name}` |" in text
        assert str(RetrievalSettings.model_fields[name].description) in text

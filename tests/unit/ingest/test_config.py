from __future__ import annotations

import pytest
from pydantic import ValidationError

from loopwright.ingest.config import IngestSettings


def test_the_published_key_is_refused_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_INGEST_RPC", '{"host": "0.0.0.0", "allow_insecure": true}')
    with pytest.raises(ValidationError, match="development key"):
        IngestSettings()
    monkeypatch.setenv("LOOPWRIGHT_INGEST_SUBJECT_KEY", "one of our own")
    assert IngestSettings().rpc.host == "0.0.0.0"


def test_the_subject_key_is_not_shown() -> None:
    assert "development" not in repr(IngestSettings())

from pathlib import Path

import pytest

from loopwright.localmesh.provision import is_provisioned, main


def test_an_empty_cache_is_not_provisioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_CACHE_DIR", str(tmp_path))
    assert not is_provisioned()
    assert main(["--check"]) == 1


def test_checking_fetches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_CACHE_DIR", str(tmp_path))
    main(["--check"])
    assert list(tmp_path.iterdir()) == []

from pathlib import Path

import pytest

from loopwright.localmesh.paths import cache_dir, checkout_root


def test_a_checkout_caches_below_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOPWRIGHT_CACHE_DIR", raising=False)
    root = checkout_root()
    assert root is not None
    assert cache_dir() == root / ".cache"


def test_a_named_cache_folder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_CACHE_DIR", str(tmp_path))
    assert cache_dir() == tmp_path

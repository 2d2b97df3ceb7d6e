"""Where fetched things lie: the checkout's `.cache`, or the user's cache folder for an installed distribution."""

from __future__ import annotations

import os
from pathlib import Path


def checkout_root() -> Path | None:
    """Return the root of the checkout this package runs from; None when it was installed as a wheel."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() and (root / "services").is_dir() else None


def cache_dir() -> Path:
    """Return the folder of everything fetched at set-up: `LOOPWRIGHT_CACHE_DIR`, else `.cache` of the checkout."""
    named = os.environ.get("LOOPWRIGHT_CACHE_DIR")
    if named:
        return Path(named).resolve()
    root = checkout_root()
    return root / ".cache" if root else Path.home() / ".cache" / "loopwright"

"""The demo's own data folders, fresh ones below the mesh's data folder, and what is left of one afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

KEPT = frozenset({"logs", "report.json"})
"""What stays of a folder when its mesh is gone: a run leaves some hundred megabytes of log, rows and models."""


def fresh_folder(data_dir: Path, stamp: str) -> Path:
    """Return a new empty folder `demo-<stamp>` below `data_dir`; another demo of the same second gets a number."""
    data_dir.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, 1000):
        folder = data_dir / (f"demo-{stamp}" if attempt == 1 else f"demo-{stamp}-{attempt}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder.resolve()
    raise FileExistsError(f"a thousand demos of {stamp} lie in {data_dir}")


def clear(folder: Path) -> None:
    """Remove all of a stopped demo's data but its logs and its report."""
    for path in folder.iterdir():
        if path.name in KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

"""Checks of the data folder: that it can be written, has room and whole models, and that no file is from the future."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from loopwright.cli.doctor.finding import Finding, State
from loopwright.faults import Fault
from loopwright.modelstore import ModelStore

NEEDED_GIB = 1.0
"""A demo writes about a quarter of this; a full disk stops the broker."""

ROOMY_GIB = 5.0
MOST_SKEW_S = 5.0
"""`explain` looks that much around the wall time in a decision's id."""

_GIB = 1 << 30


def data_folder(data_dir: Path) -> Finding:
    """Say whether a file can be made in the data folder, or where it would stand."""
    folder = _existing(data_dir)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"doctor")
            file.flush()
    except OSError as error:
        found = f"no file can be made in {folder}: {error.strerror}"
        mend = f"`sudo chown -R $USER {folder}`, or `export LOOPWRIGHT_DATA_DIR=` a folder of your own"
        return Finding("data folder", State.BROKEN, found, mend)
    return Finding("data folder", State.OK, f"a file was made in {folder}")


def disk_space(data_dir: Path, needed_gib: float = NEEDED_GIB, roomy_gib: float = ROOMY_GIB) -> Finding:
    """Say whether there is room for the log."""
    folder = _existing(data_dir)
    free = shutil.disk_usage(folder).free / _GIB
    text = f"{free:.1f} GiB free at {data_dir}, a mesh needs {needed_gib:g}"
    mend = f"`du -sh {folder}/*` says what is large; or `export LOOPWRIGHT_DATA_DIR=` a folder on another disk"
    if free < needed_gib:
        return Finding("disk", State.BROKEN, text, mend)
    if free < roomy_gib:
        return Finding("disk", State.NOTE, f"{text}; the log grows by about 10 KB a decision", mend)
    return Finding("disk", State.OK, text)


def model_store(data_dir: Path) -> Finding:
    """Say whether every model has the contents that its version names."""
    store = ModelStore(data_dir / "models")
    versions = store.versions()
    broken: dict[str, str] = {}
    for version in versions:
        try:
            store.load(version)
        except Fault as fault:
            broken[version] = fault.reason
    if broken:
        found = f"read again and hashed: {', '.join(f'{version[:12]} {why}' for version, why in broken.items())}"
        again = f"`loopwright train --promote --data-dir {data_dir}`"
        mend = f"copy {', '.join(str(store.path(version)) for version in broken)} back; without a copy {again}"
        return Finding("model store", State.BROKEN, found, mend)
    return Finding("model store", State.OK, f"{len(versions)} models, every hash as named")


def wall_clock(data_dir: Path, now_s: float | None = None) -> Finding:
    """Say whether the machine's clock is behind what has already been written.

    Args:
        data_dir: The data folder.
        now_s: Unix seconds; default: the machine's.
    """
    now = time.time() if now_s is None else now_s
    files = [Path(__file__), *(path for path in data_dir.rglob("*") if path.is_file())]
    newest_s, newest = max((_changed_s(path), path) for path in files)
    if newest_s <= now + MOST_SKEW_S:
        return Finding("wall clock", State.OK, f"no file of {len(files)} is from the future")
    gap = timedelta(seconds=round(newest_s - now))
    found = f"behind by {gap} at least: {newest} was changed later than now"
    return Finding("wall clock", State.BROKEN, found, "`sudo timedatectl set-ntp true`, or set it with `sudo date -s`")


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # a live mesh renames and removes files
        return 0.0


def _existing(path: Path) -> Path:
    """Return the path, or its nearest ancestor that exists."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path

"""Checks of the machine and the data folder; none of them needs a mesh."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from loopwright.cli.doctor.finding import Finding, State
from loopwright.faults import Fault
from loopwright.localmesh.dataset import movielens_files
from loopwright.localmesh.jars import KAFKA_VERSION, jars_present
from loopwright.localmesh.java import find_java
from loopwright.localmesh.redis_server import find_redis
from loopwright.modelstore import ModelStore

OLDEST_PYTHON = (3, 11)
NEEDED_GIB = 1.0
"""A demo writes about a quarter of this; a full disk stops the broker."""

ROOMY_GIB = 5.0


def python_version(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Say whether this Python is new enough."""
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Finding("python", State.BROKEN, text, "install Python 3.11 or newer, then `make clean setup`")
    return Finding("python", State.OK, f"{text} at {sys.executable}")


def java() -> Finding:
    """Say which Java would run Kafka."""
    try:
        return Finding("java", State.OK, str(find_java()))
    except Fault as fault:
        return Finding("java", State.BROKEN, fault.message, "`make setup`, or set JAVA_HOME to a Java of 17 or newer")


def kafka_jars(cache: Path) -> Finding:
    """Say whether Kafka's jars are there with the locked bytes."""
    try:
        jars = jars_present(cache)
    except Fault as fault:
        return Finding("kafka jars", State.BROKEN, fault.message, "`make setup` fetches and verifies them")
    return Finding("kafka jars", State.OK, f"{len(jars)} jars of Kafka {KAFKA_VERSION}, as locked")


def redis_server() -> Finding:
    """Say which Redis-compatible server would run."""
    try:
        return Finding("redis", State.OK, str(find_redis()))
    except Fault as fault:
        return Finding("redis", State.BROKEN, fault.message, "`make setup`, or install redis-server of 7 or newer")


def data_set(cache: Path) -> Finding:
    """Say whether the demo's data set is there; everything else works without."""
    found = movielens_files(cache)
    if found.complete:
        return Finding("data set", State.OK, str(found.ratings.parent))
    return Finding("data set", State.NOTE, f"not in {found.ratings.parent}", "`make setup`, before `make demo`")


def data_folder(data_dir: Path) -> Finding:
    """Say whether the data folder can be written."""
    folder = _existing(data_dir)
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Finding("data folder", State.OK, str(data_dir))
    return Finding("data folder", State.BROKEN, f"{folder} cannot be written", "choose another with --data-dir")


def disk_space(data_dir: Path) -> Finding:
    """Say whether there is room for the log."""
    free = shutil.disk_usage(_existing(data_dir)).free / (1 << 30)
    text = f"{free:.1f} GiB free at {data_dir}"
    mend = "free some, or choose another folder with --data-dir: the log grows by about 10 KB a decision"
    if free < NEEDED_GIB:
        return Finding("disk", State.BROKEN, text, mend)
    return Finding("disk", State.NOTE if free < ROOMY_GIB else State.OK, text, mend if free < ROOMY_GIB else "")


def model_store(data_dir: Path) -> Finding:
    """Say whether every model has the contents that its version names."""
    store = ModelStore(data_dir / "models")
    versions = store.versions()
    broken: list[str] = []
    for version in versions:
        try:
            store.load(version)
        except Fault as fault:
            broken.append(f"{version[:12]} {fault.reason}")
    if broken:
        mend = "restore the folder from a copy, or `loopwright rollback` if it is pinned, and train again"
        return Finding("model store", State.BROKEN, ", ".join(broken), mend)
    return Finding("model store", State.OK, f"{len(versions)} models, every hash as named")


def _existing(path: Path) -> Path:
    """Return the path, or its nearest ancestor that exists."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path

"""Checks of the machine: what set-up installs and fetches, and the limit of open files."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from loopwright.cli.doctor.finding import Finding, State
from loopwright.faults import Fault
from loopwright.localmesh.dataset import movielens_files
from loopwright.localmesh.jars import KAFKA_VERSION, jars_present
from loopwright.localmesh.java import find_java
from loopwright.localmesh.redis_server import find_redis

OLDEST_PYTHON = (3, 11)
NEEDED_FILES = 1024
"""Of the broker, which raises its own limit up to the hard one: it holds about 200 on a new mesh, more a segment."""


def python_version(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Say whether this Python is new enough."""
    text = f"{'.'.join(map(str, version))} at {sys.executable}"
    if version < OLDEST_PYTHON:
        mend = "`sudo apt-get install python3.11`, or your system's, then `make clean && PYTHON=python3.11 make setup`"
        return Finding("python", State.BROKEN, f"{text}, and 3.11 is needed", mend)
    return Finding("python", State.OK, text)


def java() -> Finding:
    """Say which Java would run Kafka."""
    try:
        return Finding("java", State.OK, str(find_java()))
    except Fault as fault:
        mend = "`make setup` installs one, or `export JAVA_HOME=` the folder of a Java of 17 or newer"
        return Finding("java", State.BROKEN, fault.message, mend)


def kafka_jars(cache: Path) -> Finding:
    """Say whether Kafka's jars are there with the locked bytes."""
    try:
        jars = jars_present(cache)
    except Fault as fault:
        return Finding("kafka jars", State.BROKEN, fault.message, "`make setup` fetches and verifies them")
    return Finding("kafka jars", State.OK, f"{len(jars)} jars of Kafka {KAFKA_VERSION}, every hash as locked")


def redis_server() -> Finding:
    """Say which Redis-compatible server would run."""
    try:
        return Finding("redis", State.OK, str(find_redis()))
    except Fault as fault:
        mend = "`make setup` installs one, or `sudo apt-get install redis-server` of 7 or newer"
        return Finding("redis", State.BROKEN, fault.message, mend)


def data_set(cache: Path) -> Finding:
    """Say whether the demo's data set is there; everything else works without."""
    found = movielens_files(cache)
    if found.complete:
        return Finding("data set", State.OK, str(found.ratings.parent))
    return Finding("data set", State.NOTE, f"not in {found.ratings.parent}", "`make setup`, before `make demo`")


def open_files(limits: tuple[int, int] | None = None) -> Finding:
    """Say whether a process may hold as many files and connections as the broker does.

    Args:
        limits: Soft and hard limit, -1: none; default: this process's, which a mesh inherits.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE) if limits is None else limits
    text = f"at most {_count(soft)} a process, {_count(hard)} when asked for"
    if 0 <= hard < NEEDED_FILES:
        mend = f"`ulimit -Hn {NEEDED_FILES}` as root, or LimitNOFILE of the unit that starts the shell"
        return Finding("open files", State.BROKEN, f"{text}; the broker needs {NEEDED_FILES}", mend)
    return Finding("open files", State.OK, text)


def _count(limit: int) -> str:
    return "any number" if limit < 0 else str(limit)

"""LOOPWRIGHT_TORCH: without it the lock as it is; with it torch by its locked version, all else still hash-checked."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

UV = """#!/bin/sh
echo "$@" >> "$TOLD/calls"
for last; do :; done
case "$2" in sync) cp "$last" "$TOLD/synced";; esac
"""
VERSION = re.search(r"^torch==(\S+)", (ROOT / "requirements" / "trainer.txt").read_text("utf-8"), re.M)


def synced(tmp_path: Path, lock: str, torch: str) -> tuple[list[str], str]:
    """Run the script with a uv that only tells; return its calls and the requirements it was given."""
    uv = tmp_path / "uv"
    uv.write_text(UV, "utf-8")
    uv.chmod(0o755)
    env = {"PATH": "/usr/bin:/bin", "UV": str(uv), "TOLD": str(tmp_path), "LOOPWRIGHT_TORCH": torch}
    subprocess.run([ROOT / "scripts" / "sync_requirements.sh", lock, "--quiet"], env=env, check=True)
    return (tmp_path / "calls").read_text("utf-8").splitlines(), (tmp_path / "synced").read_text("utf-8")


def packages(text: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.M))


@pytest.mark.parametrize(("lock", "torch"), [("trainer", ""), ("all", ""), ("retrieval", "cpu")])
def test_a_lock_is_installed_as_it_is_without_a_choice_or_without_torch(tmp_path: Path, lock: str, torch: str) -> None:
    [call], given = synced(tmp_path, lock, torch)
    assert "--require-hashes" in call
    assert given == (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")


@pytest.mark.parametrize("lock", ["trainer", "all"])
def test_a_choice_takes_torch_alone_unhashed_at_the_locked_version(tmp_path: Path, lock: str) -> None:
    [first, second], given = synced(tmp_path, lock, "cpu")
    whole = packages((ROOT / "requirements" / f"{lock}.txt").read_text("utf-8"))
    left_out = whole - packages(given)
    assert "--require-hashes" in first
    assert VERSION is not None
    assert second == f"pip install --torch-backend cpu torch=={VERSION[1]}"
    assert {"torch", "triton"} <= left_out
    assert all(re.match(r"(torch|triton|nvidia-.*|cuda-.*)$", name) for name in left_out)
    assert len(re.findall("--hash=sha256:", given)) > len(packages(given))


RUN = sorted({path.stem for path in (ROOT / "requirements").glob("*.txt")} - {"all", "build", "bootstrap"})


@pytest.mark.parametrize("lock", RUN)
def test_a_lock_is_a_part_of_the_lock_of_everything(lock: str) -> None:
    """What set-up has fetched is all that an extra needs: nothing is downloaded twice."""
    pinned = re.compile(r"^[a-z0-9][^\n]*(?:\n    --hash=[^\n]*)*", re.M)

    def entries(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        # The same wheel may be wanted under another condition: versions and hashes count.
        return {re.sub(r" ;[^\\\n]*", "", entry).replace(" \\", "") for entry in pinned.findall(text)}

    assert entries(lock) - entries("all") == set()

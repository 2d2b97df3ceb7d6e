"""Fresh environments from the locks of the extras: hard links out of uv's cache, the project's wheel, nothing else.

Services with equal locks share one: the same bytes make the same environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.architecture.source import ROOT

LIMIT_S = 240.0


def uv() -> str:
    """Return the uv that set-up used, so that its cache is the one that set-up filled."""
    own = ROOT / ".cache" / "uv" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else str(Path(sys.executable).parent / "uv"))


def clean_variables(**added: str) -> dict[str, str]:
    """Return our variables without those that would let this checkout or its settings in."""
    left_out = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "LOOPWRIGHT_TORCH"}
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    return {key: value for key, value in kept.items() if not key.startswith("LOOPWRIGHT_")} | added


def run(*command: str | Path, env: Mapping[str, str], cwd: Path = ROOT, code: int = 0) -> str:
    """Run a command to its end and return what it wrote to standard output.

    Raises:
        AssertionError: It did not end with `code`; its output is in the message.
    """
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=dict(env), capture_output=True, text=True, timeout=LIMIT_S
    )
    told = f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert done.returncode == code, f"{command[0]} ended with {done.returncode}: {told}"
    return done.stdout


class Environments:
    """Makes an environment per distinct lock when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        """Build the project's wheel into the folder."""
        self._folder = folder
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "wheel", env=clean_variables())
        [self.wheel] = (folder / "wheel").glob("*.whl")

    def python(self, service: str) -> Path:
        """Return the interpreter of the environment that has a service's lock and nothing else."""
        lock = (ROOT / "requirements" / f"{service}.txt").read_bytes()
        place = self._folder / hashlib.sha256(lock).hexdigest()[:12]
        python = place / "bin" / "python"
        if not python.exists():
            env = clean_variables(VIRTUAL_ENV=str(place), UV=uv(), HNSWLIB_NO_NATIVE="1")
            run(uv(), "venv", "--quiet", "--python", sys.executable, place, env=env)
            self._sync(service, env)
            run(uv(), "pip", "install", "--quiet", "--offline", "--no-deps", self.wheel, env=env)
        return python

    def _sync(self, service: str, env: Mapping[str, str]) -> None:
        script = ROOT / "scripts" / "sync_requirements.sh"
        try:
            run(script, service, "--quiet", "--offline", env=env)
        except AssertionError:  # somebody has emptied uv's cache since set-up
            run(script, service, "--quiet", env=env)

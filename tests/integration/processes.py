"""Starts one service of ours as a process of its own, as a machine without an installed package would."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.architecture.source import ROOT

IMPORT_PATH = os.pathsep.join(str(ROOT / portion) for portion in ("services", "shared"))
"""What PYTHONPATH names, so that the processes run this checkout."""


async def started(module: str, environment: dict[str, str], log_file: Path) -> asyncio.subprocess.Process:
    """Run `python -m module`, its output appended to the log file; the caller ends it."""
    with log_file.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            env={**os.environ, **environment, "PYTHONPATH": IMPORT_PATH},
            stdout=out,
            stderr=out,
        )

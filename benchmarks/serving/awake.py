"""`awake_cpus`: CPUs that never sleep while the block runs, so that wake-ups can be told from work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Linux runs SCHED_IDLE only where nothing else wants the CPU; sched(7).
_SPIN = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
parent = int(sys.argv[2])
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def awake_cpus() -> Iterator[None]:
    """Keep every CPU of this process busy with a loop that gives way to everything else."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", _SPIN, str(cpu), str(os.getpid())]) for cpu in os.sched_getaffinity(0)
    ]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()

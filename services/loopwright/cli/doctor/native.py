"""Whether hnswlib, which is compiled on every machine, is there and runs on this CPU."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

from loopwright.cli.doctor.finding import Finding, State

COMPILERS = ("c++", "g++")
PROBE_TIMEOUT_S = 60.0
REBUILD = "`.venv/bin/uv cache clean hnswlib && rm -r .venv && make setup` compiles it for this machine"
_SEARCH = (
    "import hnswlib; index = hnswlib.Index('ip', 16); index.init_index(4);"
    "index.add_items([[1.0] * 16]); index.knn_query([[1.0] * 16], 1)"
)


def hnswlib(probe: Sequence[str] = (sys.executable, "-c", _SEARCH), compilers: Sequence[str] = COMPILERS) -> Finding:
    """Say whether hnswlib searches here.

    Args:
        probe: What imports and uses it; a process of its own, because a library for another CPU ends its process.
        compilers: Any of these builds it.
    """
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Finding("hnswlib", State.BROKEN, f"no search within {PROBE_TIMEOUT_S:g} s", REBUILD)
    if done.returncode == 0:
        return Finding("hnswlib", State.OK, "searches on this CPU")
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return Finding("hnswlib", State.BROKEN, f"a search ended with {name}: built for another CPU", REBUILD)
    told = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    if "ModuleNotFoundError" not in told:
        return Finding("hnswlib", State.BROKEN, told, REBUILD)
    if not any(shutil.which(compiler) for compiler in compilers):
        found = f"{told}; no C++ compiler on the PATH ({', '.join(compilers)})"
        return Finding(
            "hnswlib", State.BROKEN, found, "`sudo apt-get install g++`, or your system's, then `make setup`"
        )
    return Finding("hnswlib", State.BROKEN, told, "`make setup` compiles it")

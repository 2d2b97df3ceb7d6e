"""`python -m benchmarks [NAME ...]`: run the benchmarks named, or all, each in a process of its own."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.harness.results import SECTIONS

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "GRPC_VERBOSITY": "ERROR"}
"""One thread per numeric library, as every process of a mesh has it; no notes of gRPC's on every process started."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(SECTIONS)}; all when none is named")
    asked = parser.parse_args().names or SECTIONS
    strangers = [name for name in asked if name not in SECTIONS]
    if strangers:
        parser.error(f"not a benchmark: {', '.join(strangers)}")
    for name in asked:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True, env=os.environ | ENVIRONMENT)


if __name__ == "__main__":
    main()

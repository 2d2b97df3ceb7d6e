"""The training job: `python -m loopwright.trainer.job --seed N [--promote]`; JSON lines on stdout, logs on stderr.

Exit code 0: trained, promoted or honestly refused; 1: a fault, told in the last line.
"""

from __future__ import annotations

import os
import sys

# Before numpy and torch are imported: another number of threads sums in another order and trains other bits.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))


def main() -> int:
    """Run the command line and return the exit code."""
    from loopwright.trainer.commandline import run_job

    return run_job(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

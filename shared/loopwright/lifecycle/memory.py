"""What a process does with its memory once it is up; `Process.stopped` calls it before it waits."""

from __future__ import annotations

import gc


def settle_memory() -> None:
    """Take what a started process holds out of the garbage collector's sight, and let it look less often.

    Its full rounds walk every module, proto and model; at the default thresholds they stop the loop for tens of
    milliseconds, again and again under load. Reference counting frees all that requests make but cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)

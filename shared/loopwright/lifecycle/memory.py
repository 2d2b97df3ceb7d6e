"""What a process does with its memory once it is up; `Process.stopped` calls it before it waits."""

from __future__ import annotations

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library
_LARGEST_REUSED_BYTES = 16 * 1024 * 1024
_FREE_TOP_BYTES = 32 * 1024 * 1024


def settle_memory() -> None:
    """Take what a started process holds out of the garbage collector's sight, and let it look less often.

    Its full rounds walk every module, proto and model; at the default thresholds they stop the loop for tens of
    milliseconds, again and again under load. Reference counting frees all that requests make but cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Have the C library use freed memory again, instead of giving it back and faulting it in page by page.

    By default every buffer from 128 KB on is mapped anew; the several copies of a message or matrix of that size then
    cost more in page faults than all else in a call (measured: half of the CPU of a hop of 150 KB).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # not the GNU C library
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_REUSED_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _FREE_TOP_BYTES)

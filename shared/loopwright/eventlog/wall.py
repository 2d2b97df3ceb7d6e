"""The wall clock of this process in milliseconds, for log times and heartbeats; folds and features never read it."""

from __future__ import annotations

import time
from collections.abc import Callable

WallClock = Callable[[], int]


def wall_now_ms() -> int:
    """Return the wall time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000

"""What a proof is made of: its links, and the comparisons that make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the proof: its name, whether it holds, and what was found.

    A skipped link could not be looked at, for a reason that is no fault of the record; it counts as holding.
    """

    name: str
    holds: bool
    detail: str = ""
    skipped: bool = False


def same(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    """Say whether two arrays hold the same values in the same order, whatever their shapes."""
    return one.size == other.size and bool((one.ravel() == other.ravel()).all())


def equal(name: str, derived: object, recorded: object) -> Link:
    """Return a link that holds when both are equal, to the bit."""
    return Link(name, derived == recorded, "" if derived == recorded else "re-derived otherwise than recorded")


def close(name: str, derived: NDArray[np.float32], recorded: NDArray[np.float32], tolerance: float) -> Link:
    """Return a link that holds when both are equal but for rounding: `tolerance` times max(1, |x|)."""
    if derived.shape != recorded.shape:
        return Link(name, False, f"{derived.shape} re-derived, {recorded.shape} recorded")
    if not derived.size:
        return Link(name, True)
    error = np.abs(derived.astype(np.float64) - recorded) / np.maximum(1.0, np.abs(recorded))
    worst = float(error.max())
    return Link(name, worst <= tolerance, f"largest difference {worst:.2e}")

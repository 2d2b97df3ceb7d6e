"""What an answer has to say of itself while a fault stands, from the history alone; the checker asks.

A demand begins some time after the fault (a budget has to run out, a lag to grow) and ends with it. Restarts after a
kill demand nothing here: when they are over only the mesh knows, and the record tells what its stages missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.faults.history import Entry, Kind

Flags = tuple[str, ...]

HOLD, FREEZE, EMPTY, KILL = "hold", "freeze", "empty", "kill"
AWAY = (HOLD, FREEZE)


def has(flags: Flags, stage: str, *reasons: str) -> bool:
    """Say whether a degradation of the stage has one of the reasons; without reasons, any."""
    return any(flag.startswith(tuple(f"{stage}/{reason}" for reason in reasons or ("",))) for flag in flags)


def lost(flags: Flags, stage: str) -> bool:
    """Say whether the flags tell that a stage was lost."""
    return has(flags, stage, "TIMEOUT/", "UNAVAILABLE/")


@dataclass(frozen=True, slots=True)
class Demand:
    """From `after_ms` of a fault on, every OK answer has to pass `told`."""

    name: str
    after_ms: float
    told: Callable[[Flags], bool]


DEMANDS: dict[str, tuple[Demand, ...]] = {
    "redis": (
        Demand("user row", 300, lambda f: lost(f, "HYDRATE_USER")),
        Demand("request id", 300, lambda f: has(f, "RECORD", "IDEMPOTENCY_UNCHECKED/")),
    ),
    "kafka": (
        Demand("policy feed", 1_500, lambda f: has(f, "RECOMMEND", "STALE_POLICY_FEED/")),
        # 15 s without progress of the projector; it writes it every .2 s, hydration reads it every .25 s
        Demand("user lag", 16_000, lambda f: has(f, "HYDRATE_USER", "STALE_FEATURES/")),
    ),
    "hydration": (Demand("user", 300, lambda f: lost(f, "HYDRATE_USER") and has(f, "DECIDE", "FALLBACK/")),),
    "retrieval": (Demand("candidates", 300, lambda f: lost(f, "RETRIEVE") and has(f, "RETRIEVE", "FALLBACK/")),),
    "ranking": (Demand("scores", 300, lambda f: lost(f, "RANK")),),
    "policy": (Demand("slate", 300, lambda f: lost(f, "DECIDE") and has(f, "DECIDE", "FALLBACK/")),),
    "projector": (Demand("user lag", 16_000, lambda f: has(f, "HYDRATE_USER", "STALE_FEATURES/")),),
    "exposure": (Demand("no answer at all", 300, lambda f: False),),
    "recommender": (Demand("no answer at all", 300, lambda f: False),),
}
"""By what is wholly down."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of monotonic milliseconds in which a service or server was wholly away."""

    target: str
    from_ms: float
    until_ms: float


def stretches(entries: Iterable[Entry]) -> list[Stretch]:
    """Return when what was held or frozen; a fault that never ended stands for ever."""
    begun: dict[int, Entry] = {}
    found: list[Stretch] = []
    for entry in entries:
        if entry.kind is Kind.FAULT_START and entry.operation in AWAY:
            begun[entry.call] = entry
        elif entry.kind is Kind.FAULT_END and entry.call in begun:
            start = begun.pop(entry.call)
            found.append(Stretch(start.process, start.at_ms, entry.at_ms))
    return found + [Stretch(start.process, start.at_ms, float("inf")) for start in begun.values()]


def broken_demands(away: Iterable[Stretch], from_ms: float, until_ms: float, flags: Flags) -> list[str]:
    """Return what an answer, asked and given between the two times, should have said and did not."""
    return [
        f"{stretch.target}: {demand.name}"
        for stretch in away
        for demand in DEMANDS.get(stretch.target, ())
        if from_ms >= stretch.from_ms + demand.after_ms and until_ms <= stretch.until_ms and not demand.told(flags)
    ]

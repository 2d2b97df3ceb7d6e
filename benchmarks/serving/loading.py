"""Throughput: requests in flight against answers per second, and the highest fixed rate that is answered in time."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.serving.asking import Answers, Asker, at_rate, in_flight
from benchmarks.serving.bundles import LARGE

IN_FLIGHT = (1, 2, 4, 8, 16)
ROUNDS, SECONDS = 3, 2.5
WITHIN_MS = 120.0
"""The p99 that a fixed rate has to keep: the time budget of a request in the bundle."""

WHOLE = 0.99
"""Share of the requests of a fixed rate that must be answered, and not degraded."""

STEPS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Fixed rates that are tried, as shares of the best throughput, until `PATIENCE` of them in a row are too high."""

PATIENCE = 2
ANSWERS = 100
"""Requests at each rate: fewer would make the p99 the slowest answer."""

REST_S = 1.0
"""Before each rate, so that what is in flight ends."""


@dataclass(frozen=True, slots=True)
class Level:
    """One number of requests in flight, medians over rounds: answers per second, p50 and p99 in ms, others' share."""

    in_flight: int
    per_s: float
    p50_ms: float
    p99_ms: float
    other_share: float


@dataclass(frozen=True, slots=True)
class Rate:
    """A fixed rate that was tried: its p99 in milliseconds, the share not answered whole, and whether it held."""

    per_s: float
    p99_ms: float
    other_share: float

    @property
    def holds(self) -> bool:
        """Whether it was answered in time."""
        return self.p99_ms <= WITHIN_MS and self.other_share <= 1 - WHOLE


@dataclass(frozen=True, slots=True)
class Load:
    """What a mesh answers under load.

    Attributes:
        levels: By number of requests in flight.
        gain: Throughput at 8 in flight over that at 1, median over rounds.
        others: Why answers of all levels were no whole ones.
        rates: Fixed rates in the order they were tried.
    """

    levels: Sequence[Level]
    gain: float
    others: Counter[str]
    rates: Sequence[Rate]


async def measure_load(asking: Asker) -> Load:
    """Measure every level in interleaved rounds, then fixed rates."""
    rounds: list[Mapping[int, tuple[Answers, float]]] = []
    await in_flight(asking, LARGE, max(IN_FLIGHT), SECONDS)  # the limit of calls in flight grows where it is used
    for _ in range(ROUNDS):
        rounds.append({count: await in_flight(asking, LARGE, count, SECONDS) for count in IN_FLIGHT})
    levels = [_level(count, [one[count] for one in rounds]) for count in IN_FLIGHT]
    gain = statistics.median(_per_s(*one[8]) / _per_s(*one[1]) for one in rounds)
    others = sum((answers.other for one in rounds for answers, _ in one.values()), Counter[str]())
    return Load(levels, gain, others, await _rates(asking, max(level.per_s for level in levels)))


async def _rates(asking: Asker, best: float) -> list[Rate]:
    tried: list[Rate] = []
    for step in STEPS:
        await asyncio.sleep(REST_S)
        per_s = step * best
        answers = await at_rate(asking, LARGE, per_s, max(SECONDS, ANSWERS / per_s))
        tried.append(Rate(per_s, answers.at(0.99), _other_share(answers)))
        if len(tried) >= PATIENCE and not any(rate.holds for rate in tried[-PATIENCE:]):
            break
    return tried


def _level(count: int, rounds: Sequence[tuple[Answers, float]]) -> Level:
    return Level(
        count,
        statistics.median(_per_s(*one) for one in rounds),
        statistics.median(answers.at(0.5) for answers, _ in rounds),
        statistics.median(answers.at(0.99) for answers, _ in rounds),
        statistics.median(_other_share(answers) for answers, _ in rounds),
    )


def _per_s(answers: Answers, seconds: float) -> float:
    return len(answers.taken_ms) / seconds


def _other_share(answers: Answers) -> float:
    other = answers.other.total()
    return other / (other + len(answers.taken_ms))

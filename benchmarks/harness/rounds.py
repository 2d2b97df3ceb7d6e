"""Arms measured side by side: every round runs each arm in turn, every figure is the median over rounds.

In: named callables. Out: milliseconds by arm and quantile. Every benchmark calls `measure`.
"""

from __future__ import annotations

import inspect
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Arm = Callable[[], Awaitable[Any] | Any]
"""One run of what is measured; an awaitable is awaited within the time taken."""


@dataclass(frozen=True, slots=True)
class Table:
    """What was measured: arm -> the latencies of each round, milliseconds in the order they came."""

    rounds: Mapping[str, Sequence[Sequence[float]]]

    def at(self, arm: str, share: float) -> float:
        """Return the median over rounds of each round's quantile, milliseconds; `share` .5 is the p50."""
        return statistics.median(quantile(one, share) for one in self.rounds[arm])

    def p50(self, arm: str) -> float:
        """Return the median over rounds of the rounds' p50, milliseconds."""
        return self.at(arm, 0.5)

    def p99(self, arm: str) -> float:
        """Return the median over rounds of the rounds' p99, milliseconds."""
        return self.at(arm, 0.99)

    def ratio(self, arm: str, floor: str, share: float = 0.5) -> float:
        """Return the median over rounds of arm / floor, each round against its own floor."""
        pairs = zip(self.rounds[arm], self.rounds[floor], strict=True)
        return statistics.median(quantile(one, share) / quantile(other, share) for one, other in pairs)

    def __or__(self, other: Table) -> Table:
        """Return the arms of both."""
        return Table({**self.rounds, **other.rounds})


def quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile: the smallest value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * len(ordered) * 1e6) // 10**6) - 1)]


async def measure(arms: Mapping[str, Arm], *, rounds: int, per_round: int, warm_up: int = 10) -> Table:
    """Run every arm `per_round` times in each round, one at a time; each round begins with another arm.

    Args:
        arms: Name -> what is timed.
        rounds: Rounds, at least 1; the figures are medians over them.
        per_round: Runs of an arm in a round.
        warm_up: Runs of each arm before the first round, not counted.
    """
    names = list(arms)
    for name in names:
        await _timed(arms[name], warm_up)
    taken: dict[str, list[list[float]]] = {name: [] for name in names}
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            taken[name].append(await _timed(arms[name], per_round))
    return Table(taken)


async def _timed(arm: Arm, runs: int) -> list[float]:
    taken = []
    for _ in range(runs):
        began = time.perf_counter_ns()
        answer = arm()
        if inspect.isawaitable(answer):
            await answer
        taken.append((time.perf_counter_ns() - began) / 1e6)
    return taken

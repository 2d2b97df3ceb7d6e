"""Markdown tables of a benchmark: any table, and the one of floors, products and ratios beside their bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.rounds import Table


@dataclass(frozen=True, slots=True)
class Bound:
    """A ratio and what is asked of it; `least` says that it must not be smaller, instead of not larger."""

    name: str
    ratio: float
    bound: float
    least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the ratio is within its bound."""
        return self.ratio >= self.bound if self.least else self.ratio <= self.bound


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table: the first column to the left, the others to the right; floats get three significant digits."""
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def latency_table(table: Table, arms: Sequence[str], floor: str | None = None) -> str:
    """Return p50 and p99 of arms in milliseconds and, given a floor, how many times its p50 each arm's is."""
    head = ["", "p50 ms", "p99 ms"] + ([f"p50 / {floor}"] if floor else [])
    rows: list[list[object]] = []
    for arm in arms:
        row: list[object] = [arm, table.p50(arm), table.p99(arm)]
        rows.append([*row, table.ratio(arm, floor)] if floor else row)
    return markdown(head, rows)


def bounds_table(bounds: Sequence[Bound]) -> str:
    """Return the ratios beside what is asked of them."""
    rows = [
        (one.name, one.ratio, f"{'≥' if one.least else '≤'} {one.bound:g}", "yes" if one.holds else "**no**")
        for one in bounds
    ]
    return markdown(["ratio", "measured", "asked", "holds"], rows)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)

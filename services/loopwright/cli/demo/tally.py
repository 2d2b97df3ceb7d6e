"""What recorded decisions say of themselves: times per stage, degradations, defaulted features, sources; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from loopwright.domain.enums import Mask
from loopwright.pipeline.record import DecisionRecord


class Tally:
    """Adds up decisions one at a time, in any order."""

    def __init__(self) -> None:
        """Begin with none."""
        self.decisions = 0
        self._undegraded = 0
        self._reasons: Counter[str] = Counter()
        self._times_us: dict[str, list[int]] = defaultdict(list)
        self._cells: Counter[str] = Counter()
        self._present: Counter[str] = Counter()
        self._positions = 0
        self._credited: Counter[str] = Counter()
        self._proposed: Counter[str] = Counter()

    def add(self, record: DecisionRecord) -> None:
        """Add one decision; of its candidates the slate's rows are looked at."""
        self.decisions += 1
        self._undegraded += not record.degradations
        self._reasons.update({f"{d.stage.name} {d.reason.name}" for d in record.degradations})
        for stage, taken in record.timings_us:
            self._times_us[stage.name.lower()].append(taken)
        for place, name in enumerate(record.user_groups):
            self._cells[name] += 1
            self._present[name] += int(record.user_group_mask[place] == Mask.PRESENT)
        rows = record.slate_candidates
        for place, name in enumerate(record.item_groups if len(rows) else ()):
            self._cells[name] += len(rows)
            self._present[name] += int((rows.group_mask[:, place] == Mask.PRESENT).sum())
        self._positions += len(rows)
        for place, source in enumerate(record.sources):
            name = source.source.name.lower()
            self._proposed[name] += source.count
            self._credited[name] += int((rows.source_ranks[:, place] > 0).sum()) if len(rows) else 0

    def document(self) -> dict[str, Any]:
        """Return the figures; shares are of decisions, of a group's cells, or of slate positions."""
        return {
            "count": self.decisions,
            "undegraded_share": _share(self._undegraded, self.decisions),
            "degradations": dict(self._reasons.most_common()),
            "stages_ms": {stage: quantiles(times, 1e-3) for stage, times in self._times_us.items()},
            "non_default_share": {name: _share(self._present[name], cells) for name, cells in self._cells.items()},
            "sources": {
                name: {
                    "positions_share": _share(self._credited[name], self._positions),
                    "proposed_per_request": _share(proposed, self.decisions),
                }
                for name, proposed in self._proposed.items()
            },
        }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def quantiles(values: Sequence[float], scale: float = 1.0) -> dict[str, float]:
    """Return p50 and p99 of at least one value, times `scale`."""
    p50, p99 = np.quantile(np.asarray(values, dtype=np.float64), [0.5, 0.99])
    return {"p50": float(p50) * scale, "p99": float(p99) * scale}

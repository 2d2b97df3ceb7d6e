"""Slates of ours as labelled rows: features and signals as logged, engagement among what the user confirms as seen."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from loopwright.api.events.v1.decision_pb2 import SlateDecided
from loopwright.api.events.v1.feedback_pb2 import ActionTaken, ItemsViewed
from loopwright.domain.enums import ENGAGEMENTS, DegradationReason, Purpose, Stage
from loopwright.domain.vectors import F16, F32, I64, U8, U64, Bools
from loopwright.featurespec.facts import SATISFYING
from loopwright.featurespec.groups import width

ENGAGED, SATISFIED = 1, 2


@dataclass(frozen=True, slots=True)
class Spec:
    """What rows must have been served with to be learned from: groups in column order and signal names."""

    user_groups: tuple[str, ...]
    item_groups: tuple[str, ...]
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exposed:
    """The seen rows of one slate.

    Attributes:
        decision_id: 16 bytes.
        user_columns: float16 [U], as served.
        item_ids: uint64 [m].
        item_columns: float16 [m, C], as served.
        signals: float32 [m, K], as served.
        positions: float32 [m], absolute in the session, from 1.
        p_shown: float32 [m], probability of being in the slate.
        labels: uint8 [m]; 0 seen only, 1 engaged, 2 engaged and satisfied.
        seen_ms: int64 [m], mesh time of the first confirmation.
    """

    decision_id: bytes
    user_columns: F16
    item_ids: U64
    item_columns: F16
    signals: F32
    positions: F32
    p_shown: F32
    labels: U8
    seen_ms: I64

    def take(self, chosen: Bools) -> Exposed:
        """Return the chosen rows."""
        rows = {name: getattr(self, name)[chosen] for name in self.__slots__[2:]}
        return Exposed(self.decision_id, self.user_columns, **rows)


@dataclass(slots=True)
class Exposures:
    """Joins views and actions with decisions; reads the former first, so that only seen rows are kept.

    Attributes:
        skipped: Why decisions or rows gave no label, and how many.
    """

    spec: Spec
    surface: str
    rows: list[Exposed] = field(default_factory=list)
    skipped: Tally[str] = field(default_factory=Tally)
    _seen: dict[bytes, dict[int, int]] = field(default_factory=dict)
    _label: dict[tuple[bytes, int], int] = field(default_factory=dict)

    def view(self, viewed: ItemsViewed, at_ms: int) -> None:
        """Take a confirmation of exposure at a mesh time; prefetched items are not seen."""
        for item in viewed.items:
            if item.seen:
                seen = self._seen.setdefault(viewed.decision_id, {})
                seen[item.item_id] = min(at_ms, seen.get(item.item_id, at_ms))

    def act(self, action: ActionTaken) -> None:
        """Take an action on an item of a slate."""
        kind = int(action.kind)
        if kind not in ENGAGEMENTS:
            return
        label = SATISFIED if action.liked or kind in SATISFYING else ENGAGED
        place = action.decision_id, action.item_id
        self._label[place] = max(label, self._label.get(place, 0))

    def decide(self, surface: str, decided: SlateDecided) -> None:
        """Take a decision, after all views and actions of its partition."""
        if int(decided.request.purpose) != Purpose.SERVE:
            return
        if surface != self.surface:
            self.skipped["other surface"] += 1
        elif decided.decision_id not in self._seen:
            self.skipped["not confirmed as seen"] += 1
        elif _stood_in(decided):
            self.skipped["fallback slate"] += 1
        elif not self._fits(decided):
            self.skipped["served with other features"] += 1
        else:
            self._take(decided)

    def _fits(self, decided: SlateDecided) -> bool:
        spec, rows = self.spec, decided.slate_candidates
        count = len(decided.slate)
        return (
            tuple(decided.user_groups) == spec.user_groups
            and tuple(decided.item_groups) == spec.item_groups
            and tuple(decided.signal_names) == spec.signals
            and len(decided.user_columns.data) == 2 * width(spec.user_groups)
            and len(rows.item_columns.data) == 2 * count * width(spec.item_groups)
            and len(rows.signals.data) == 4 * count * len(spec.signals)
        )

    def _take(self, decided: SlateDecided) -> None:
        seen, slate = self._seen[decided.decision_id], decided.slate
        places = [k for k, position in enumerate(slate) if position.item_id in seen and position.p_shown > 0]
        self.skipped["rows not seen"] += len(slate) - len(places)
        if not places:
            return
        items, count = decided.slate_candidates, len(slate)
        item_columns = np.frombuffer(items.item_columns.data, "<f2").reshape(count, -1)[places]
        signals = np.frombuffer(items.signals.data, "<f4").reshape(count, -1)[places]
        user = np.frombuffer(decided.user_columns.data, "<f2")
        if not all(np.isfinite(part).all() for part in (user, item_columns, signals)):
            self.skipped["not finite"] += 1
            return
        ids = [slate[k].item_id for k in places]
        self.rows.append(
            Exposed(
                decided.decision_id,
                user,
                np.array(ids, dtype=np.uint64),
                item_columns,
                signals,
                _column([slate[k].position for k in places]),
                _column([slate[k].p_shown for k in places]),
                np.array([self._label.get((decided.decision_id, item), 0) for item in ids], dtype=np.uint8),
                np.array([seen[item] for item in ids], dtype=np.int64),
            )
        )


def _stood_in(decided: SlateDecided) -> bool:
    """Say whether the fallback order was served: nothing was scored, so there is nothing to learn the scores from."""
    return any(
        int(d.stage) == Stage.DECIDE and int(d.reason) == DegradationReason.FALLBACK for d in decided.degradations
    )


def _column(values: Sequence[float]) -> F32:
    return np.array(values, dtype=np.float32)

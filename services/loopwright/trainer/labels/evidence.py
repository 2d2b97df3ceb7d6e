"""`Evidence`: a closed window of the log as columns; `Collector` makes it of events, `reading` feeds the collector."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.domain.vectors import I64, U64, Bools
from loopwright.eventlog import (
    DedupWindow,
    Freshness,
    Record,
    classify_all,
    occurred_at_ms,
    order_key,
    payload_name,
)
from loopwright.eventlog.event_times import event_time, event_times
from loopwright.eventlog.topics import ACTIONS, DECISIONS, IMPRESSIONS, ORGANIC
from loopwright.featurespec.folds.actions import ORGANIC_ACTION, SLATE_ACTION
from loopwright.featurespec.folds.catalog import item_of
from loopwright.featurespec.folds.users import subject_of
from loopwright.featurespec.folds.validity import flaw_of
from loopwright.trainer.labels.actions import ActionRows, Actions
from loopwright.trainer.labels.exposures import Exposed, Exposures, Spec

COUNTED = frozenset({IMPRESSIONS.name, ACTIONS.name, ORGANIC.name, DECISIONS.name})
"""Topics whose events count, so that repeated and late ones are left out, as the projector leaves them out."""


@dataclass(frozen=True, slots=True)
class Views:
    """Confirmed views: users int64 [v], item_ids uint64 [v], times_ms int64 [v], by user, time and item."""

    users: I64
    item_ids: U64
    times_ms: I64

    def of(self, user: int) -> tuple[U64, I64]:
        """Return one user's items and times."""
        part = slice(*np.searchsorted(self.users, [user, user + 1]).tolist())
        return self.item_ids[part], self.times_ms[part]

    def take(self, chosen: Bools) -> Views:
        """Return the chosen rows."""
        return Views(self.users[chosen], self.item_ids[chosen], self.times_ms[chosen])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run learns from; users are numbered by ascending subject.

    Attributes:
        users: How many there are.
        actions: What they did.
        views: What they saw of our slates.
        profiles: Encoded profile events by user, in event order.
        catalogue: Encoded catalogue events.
        exposed: Seen rows of slates, by decision id.
        newest_ms: Mesh time of the newest event that counts, 0 without any.
        left_out: What was not used, and why.
    """

    users: int
    actions: Actions
    views: Views
    profiles: dict[int, tuple[bytes, ...]]
    catalogue: tuple[bytes, ...]
    exposed: tuple[Exposed, ...]
    newest_ms: int
    left_out: dict[str, int] = field(default_factory=dict)


class Collector:
    """Takes records topic by topic: profiles, views and actions before decisions."""

    def __init__(self, spec: Spec, surface: str) -> None:
        self._windows: dict[tuple[str, int], DedupWindow] = {}
        self._subjects: dict[bytes, int] = {}
        self._erased: set[bytes] = set()
        self._rows = ActionRows()
        self._views: set[tuple[int, int, int]] = set()
        self._profiles: dict[int, list[tuple[tuple[int, str, bytes], bytes]]] = {}
        self._catalogue: list[bytes] = []
        self._exposures = Exposures(spec, surface)
        self._newest_ms = 0
        self._left_out: Tally[str] = Tally()

    def add(self, record: Record, judge: bool = False) -> None:
        """Take a record; those that the folds could not use are counted and left out.

        Args:
            record: In offset order within its partition.
            judge: Whether its action judges models instead of teaching them.
        """
        self.add_all([record], lambda _: judge)

    def add_all(self, records: Sequence[Record], judges: Callable[[Record], bool]) -> None:
        """Take records, as `add` does one by one.

        Args:
            records: In offset order within each partition.
            judges: Whether a record's action judges models instead of teaching them.
        """
        sound = [record for record in records if not flaw_of(record.event)]
        if len(sound) < len(records):
            self._left_out["unusable"] += len(records) - len(sound)
        counted = [record for record in sound if record.topic in COUNTED]
        if counted:
            self._newest_ms = max(self._newest_ms, int(event_times(counted).max()))
        judged = iter(classify_all(counted, self._window))
        for record in sound:
            freshness = next(judged) if record.topic in COUNTED else Freshness.FRESH
            if freshness is Freshness.FRESH:
                self._take(record.event, record.value, judges(record))
            else:
                self._left_out[freshness.value.lower()] += 1

    def _window(self, topic: str, logical: int) -> DedupWindow:
        return self._windows.setdefault((topic, logical), DedupWindow())

    def _take(self, event: Event, value: bytes, judge: bool) -> None:
        payload = payload_name(event)
        if payload == "slate_decided":
            if event.slate_decided.request.subject not in self._erased:
                self._exposures.decide(event.surface, event.slate_decided)
        elif item_of(event):
            self._catalogue.append(value)
        elif subject := subject_of(event):
            user = self._subjects.setdefault(subject, len(self._subjects))
            if payload in (ORGANIC_ACTION, SLATE_ACTION):
                self._rows.add(user, event, payload, judge)
                if payload == SLATE_ACTION:
                    self._exposures.act(event.action_taken)
            elif payload == "items_viewed":
                at_ms = max(0, occurred_at_ms(event))
                self._views.update((user, at_ms, item.item_id) for item in event.items_viewed.items if item.seen)
                self._exposures.view(event.items_viewed, event_time(event))
            elif payload == "subject_erased":
                self._erased.add(subject)
            else:
                self._profiles.setdefault(user, []).append((order_key(event), value))

    def evidence(self) -> Evidence:
        """Return everything taken so far; erased users are gone."""
        kept = sorted(subject for subject in self._subjects if subject not in self._erased)
        numbers = np.full(len(self._subjects), -1, dtype=np.int64)
        numbers[[self._subjects[subject] for subject in kept]] = np.arange(len(kept))
        viewed = sorted((int(numbers[user]), at_ms, item) for user, at_ms, item in self._views if numbers[user] >= 0)
        users, times, items = zip(*viewed, strict=True) if viewed else ((), (), ())
        profiles = {
            int(numbers[user]): tuple(raw for _, raw in sorted(found))
            for user, found in self._profiles.items()
            if numbers[user] >= 0
        }
        return Evidence(
            len(kept),
            self._rows.ordered(numbers),
            Views(np.array(users, np.int64), np.array(items, np.uint64), np.array(times, np.int64)),
            profiles,
            tuple(self._catalogue),
            tuple(sorted(self._exposures.rows, key=lambda row: row.decision_id)),
            self._newest_ms,
            dict(sorted((self._left_out + self._exposures.skipped).items())),
        )

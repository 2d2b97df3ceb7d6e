"""Events to the facts that the monitor folds; generated types of this service stop here."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from loopwright.domain.enums import DegradationReason, Purpose, Scheme, Source, Stage
from loopwright.domain.ids import name_id
from loopwright.eventlog import Event, ms_of, occurred_at_ms, recorded_at_ms
from loopwright.monitor.facts import Acted, Fact, Listed, Served, Shown, Unlisted, Viewed
from loopwright.pipeline.convert.tensors import from_tensor


def fact_of(event: Event) -> Fact | None:
    """Return what an event tells the monitor, None when nothing.

    Raises:
        InvalidRequest: A decision whose columns do not fit its slate.
        ValueError: A number this build does not know.
    """
    make = _MAKERS.get(event.WhichOneof("payload") or "")
    return make(event) if make else None


def _served(event: Event) -> Served | None:
    decided = event.slate_decided
    if int(decided.request.purpose) != Purpose.SERVE:
        return None
    table, sources = decided.slate_candidates, [Source(int(s.source)) for s in decided.sources]
    size = len(decided.slate)
    ranks: Any = np.zeros((size, 0), dtype=np.uint16)
    creators: Any = np.zeros(size, dtype=np.uint64)
    if size:
        ranks = from_tensor(table.source_ranks, "slate_candidates.source_ranks", np.uint16, (size, len(sources)))
        creators = from_tensor(table.creator_ids, "slate_candidates.creator_ids", np.uint64, (size,))
    return Served(
        decision_id=decided.decision_id,
        surface=event.surface,
        decided_ms=occurred_at_ms(event),
        slate=tuple(
            Shown(
                place.item_id,
                int(creators[index]),
                tuple(source for column, source in enumerate(sources) if ranks[index, column]),
                Scheme(int(place.scheme)),
            )
            for index, place in enumerate(decided.slate)
        ),
        degradations=Counter(
            f"{Stage(int(d.stage)).name}/{DegradationReason(int(d.reason)).name}" for d in decided.degradations
        ),
    )


def _viewed(event: Event) -> Viewed:
    views = event.items_viewed
    items = tuple((item.item_id, item.seen) for item in views.items)
    return Viewed(views.decision_id, event.surface, _got_ms(event), items)


def _acted(event: Event) -> Acted:
    action = event.action_taken
    return Acted(action.decision_id, event.surface, _got_ms(event), action.item_id)


def _got_ms(event: Event) -> int:
    """Return when the mesh got a report: a client may send much later than it says, and the log comes in this order."""
    return recorded_at_ms(event) if event.HasField("recorded_at") else occurred_at_ms(event)


def _listed(event: Event) -> Listed:
    item = event.item_upserted
    published = ms_of(item.published_at) if item.HasField("published_at") else None
    return Listed(item.item_id, (occurred_at_ms(event), event.event_id), name_id(item.creator), published)


def _unlisted(event: Event) -> Unlisted:
    return Unlisted(event.item_withdrawn.item_id, (occurred_at_ms(event), event.event_id))


_MAKERS: dict[str, Any] = {
    "slate_decided": _served,
    "items_viewed": _viewed,
    "action_taken": _acted,
    "item_upserted": _listed,
    "item_withdrawn": _unlisted,
}

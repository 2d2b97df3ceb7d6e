"""A small folded world for the tests of this folder: a table of items and the rows of users, as of NOW_MS."""

from __future__ import annotations

from functools import cache

import numpy as np
from tests.replay.synthetic import START_MS, entries

from loopwright.eventlog import DedupWindow, Freshness
from loopwright.featurespec.facts import FactBatch
from loopwright.featurespec.folds.catalog import fold_catalog
from loopwright.featurespec.folds.facts import facts_of
from loopwright.featurespec.folds.users import UserFold, subject_of
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import UserState

COUNT = 3000
NOW_MS = START_MS + COUNT * 90_000 + 1000


@cache
def _states() -> tuple[tuple[UserState, ...], tuple[tuple[int, dict[str, bytes]], ...]]:
    table, users = ItemTable(), {}
    window = DedupWindow()
    for topic, _, event in entries(COUNT, users=40, items=80):
        if topic.name == "catalog":
            fold_catalog(table, event)
        elif window.classify(event) is Freshness.FRESH:
            users.setdefault(subject_of(event), UserFold()).apply(event)
            table.fold_facts(FactBatch.of(facts_of(event)))
    rows = table.encode_rows(np.arange(len(table)))
    return tuple(fold.state() for fold in users.values()), tuple(zip(table.ids.tolist(), rows, strict=True))


def world() -> tuple[ItemTable, tuple[UserState, ...]]:
    """Return a table of its own and the users."""
    users, rows = _states()
    table = ItemTable()
    table.put_many((item, group, state) for item, states in rows for group, state in states.items())
    return table, users

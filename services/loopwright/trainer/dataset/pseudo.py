"""Pseudo-decisions: a user's rows are cut in time; what stood before decides, what came after labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.domain.vectors import I64, U8, U64, Bools
from loopwright.featurespec.table import ItemTable
from loopwright.featurespec.users import UserState
from loopwright.trainer.dataset.examples import ENGAGED, SATISFIED, Decision, pseudo_decision
from loopwright.trainer.dataset.moment import Moment
from loopwright.trainer.dataset.stage1 import Stage1
from loopwright.trainer.labels.actions import Actions
from loopwright.trainer.labels.evidence import Evidence, Views
from loopwright.trainer.labels.states import facts, user_state
from loopwright.trainer.learning.settings import ExampleSettings


@dataclass(frozen=True, slots=True)
class Past:
    """Rows of a window, by user: what folds make states of."""

    actions: Actions
    views: Views
    profiles: dict[int, tuple[bytes, ...]]
    starts: I64

    def state(self, user: int) -> UserState:
        """Return a user's states after these rows."""
        rows = self.actions.take(np.arange(self.starts[user], self.starts[user + 1]))
        return user_state(rows, self.views.of(user), self.profiles.get(user, ()))

    def fold_into(self, table: ItemTable) -> ItemTable:
        """Return a copy of the table with these rows counted."""
        counted = table.copy()
        counted.fold_facts(facts(self.actions, (self.views.item_ids, self.views.times_ms)))
        return counted


def past_of(evidence: Evidence, kept: Bools, views: Views) -> Past:
    """Return the kept actions by user, each user's in event order."""
    actions = evidence.actions.take(kept)
    actions = actions.take(np.argsort(actions.users, kind="stable"))
    starts = np.searchsorted(actions.users, np.arange(evidence.users + 1)).astype(np.int64)
    return Past(actions, views, evidence.profiles, starts)


@dataclass(frozen=True, slots=True)
class Split:
    """The cut of every user: rows before it, as a past, and the engagements after it."""

    before: Past
    after: Actions


def split(evidence: Evidence, fit: Bools, share: float) -> Split:
    """Return each user's first floor(share n) of n fit rows, and what came after.

    Args:
        evidence: The window.
        fit: bool, the rows that may teach.
        share: Share of rows before the cut.
    """
    rows = np.flatnonzero(fit)
    users = evidence.actions.users[rows]
    order = np.argsort(users, kind="stable")
    count = np.bincount(users, minlength=evidence.users)
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    past = place < np.floor(share * count + 1e-9)[users]
    before, after = np.zeros(len(fit), dtype=np.bool_), rows[~past]
    before[rows[past]] = True
    later = evidence.actions.take(after)
    cut_ms = np.full(evidence.users, np.iinfo(np.int64).max)
    np.minimum.at(cut_ms, later.users, later.times_ms)
    views = evidence.views.take(evidence.views.times_ms < cut_ms[evidence.views.users])
    return Split(past_of(evidence, before, views), later.take(later.engaged))


def pseudo_decisions(
    parts: Split,
    table: ItemTable,
    stage1: Stage1,
    bundle: PolicyBundle,
    now_ms: int,
    settings: ExampleSettings,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> Iterator[Decision]:
    """Yield one decision for each user with an engagement after the cut that was open at it.

    Args:
        parts: The cut.
        table: The catalogue without counts.
        stage1: Learned from the rows before the cut.
        bundle: Says what candidates and columns there are.
        now_ms: Time of all pseudo-decisions: the end of the window, as at serving.
        settings: How many there may be.
        seed: Seeds the draw of users when there are more.
        progress: Told the share done.
    """
    order = np.argsort(parts.after.users, kind="stable")
    after = parts.after.take(order)
    users = np.unique(after.users)
    if len(users) > settings.most_decisions:
        users = np.sort(np.random.default_rng(seed).choice(users, settings.most_decisions, replace=False))
    moment = Moment(parts.before.fold_into(table), stage1, bundle, now_ms)
    for done, user in enumerate(users.tolist()):
        inputs = moment.inputs(parts.before.state(user))
        rows = slice(*np.searchsorted(after.users, [user, user + 1]).tolist())
        labels = labels_of(inputs.item_ids, after.item_ids[rows], after.liked[rows])
        if labels.any():
            yield pseudo_decision(inputs.user_columns, inputs.item_columns, inputs.signals, labels)
        if done % 50 == 0:
            progress(done / len(users))


def labels_of(item_ids: U64, engaged: U64, liked: Bools) -> U8:
    """Return uint8 [n]: 2 where a candidate was engaged and liked later, 1 where engaged, else 0."""
    labels = np.isin(item_ids, engaged) * np.uint8(ENGAGED)
    labels[np.isin(item_ids, engaged[liked])] = SATISFIED
    return labels.astype(np.uint8)

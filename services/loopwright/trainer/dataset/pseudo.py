"""Pseudo-decisions: a user's organic rows are cut in time; what stood before decides, what came after labels.

What our slates caused labels nothing here: slates are examples of their own, weighted by their propensities. It counts
for the items all the same, so that item columns look as they do at serving; otherwise a model could tell slates from
pseudo-decisions by them and would serve everybody as if he were looking at a slate of the past.
"""

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

    def state(self, user: int, until_ms: int | None = None) -> UserState:
        """Return a user's states after these rows; after those before `until_ms` alone, when it is given."""
        rows, (viewed, at_ms) = self._of(user), self.views.of(user)
        if until_ms is not None:
            rows = rows.take(rows.times_ms < until_ms)
            viewed, at_ms = viewed[at_ms < until_ms], at_ms[at_ms < until_ms]
        return user_state(rows, (viewed, at_ms), self.profiles.get(user, ()))

    def touched_since(self, user: int, since_ms: int) -> U64:
        """Return uint64: items that a user saw or acted on at a time or later."""
        rows, (viewed, at_ms) = self._of(user), self.views.of(user)
        return np.union1d(rows.item_ids[rows.times_ms >= since_ms], viewed[at_ms >= since_ms])

    def _of(self, user: int) -> Actions:
        return self.actions.take(np.arange(self.starts[user], self.starts[user + 1]))

    def fold_into(self, table: ItemTable) -> ItemTable:
        """Return a copy of the table with these rows counted."""
        return counted(table, self.actions, self.views)


def counted(table: ItemTable, actions: Actions, views: Views) -> ItemTable:
    """Return a copy of the table with actions and views counted."""
    copy = table.copy()
    copy.fold_facts(facts(actions, (views.item_ids, views.times_ms)))
    return copy


def past_of(evidence: Evidence, kept: Bools, views: Views) -> Past:
    """Return the kept actions by user, each user's in event order."""
    actions = evidence.actions.take(kept)
    actions = actions.take(np.argsort(actions.users, kind="stable"))
    starts = np.searchsorted(actions.users, np.arange(evidence.users + 1)).astype(np.int64)
    return Past(actions, views, evidence.profiles, starts)


@dataclass(frozen=True, slots=True)
class Split:
    """The cut of every user.

    Attributes:
        before: Organic rows before it, as a past.
        after: Organic engagements after it.
        caused: What slates of ours caused, whenever.
        views: Views of our slates, whenever.
    """

    before: Past
    after: Actions
    caused: Actions
    views: Views

    def items(self, table: ItemTable) -> ItemTable:
        """Return the items as they stand without what came after the cuts."""
        return counted(self.before.fold_into(table), self.caused, self.views)


def split(evidence: Evidence, fit: Bools, share: float) -> Split:
    """Return each user's first floor(share n) of n organic fit rows, and what came after.

    Args:
        evidence: The window.
        fit: bool, the rows that may teach.
        share: Share of rows before the cut.
    """
    slate = evidence.actions.slate
    rows = np.flatnonzero(fit & ~slate)
    users = evidence.actions.users[rows]
    order = np.argsort(users, kind="stable")
    count = np.bincount(users, minlength=evidence.users)
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    past = place < np.floor(share * count + 1e-9)[users]
    before, after = np.zeros(len(fit), dtype=np.bool_), rows[~past]
    before[rows[past]] = True
    later = evidence.actions.take(after)
    unseen = evidence.views.take(np.zeros(len(evidence.views.users), dtype=np.bool_))
    caused = evidence.actions.take(fit & slate)
    return Split(past_of(evidence, before, unseen), later.take(later.engaged), caused, evidence.views)


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
    moment = Moment(parts.items(table), stage1, bundle, now_ms)
    for done, user in enumerate(users.tolist()):
        inputs = moment.inputs(parts.before.state(user))
        rows = slice(*np.searchsorted(after.users, [user, user + 1]).tolist())
        labels = labels_of(inputs.item_ids, after.item_ids[rows], after.liked[rows])
        # An item that a slate led the user to is no negative, and no label of an organic decision either.
        own = ~np.isin(inputs.item_ids, parts.caused.item_ids[parts.caused.users == user])
        if labels[own].any():
            yield pseudo_decision(inputs.user_columns, inputs.item_columns[own], inputs.signals[own], labels[own])
        if done % 50 == 0:
            progress(done / len(users))


def labels_of(item_ids: U64, engaged: U64, liked: Bools) -> U8:
    """Return uint8 [n]: 2 where a candidate was engaged and liked later, 1 where engaged, else 0."""
    labels = np.isin(item_ids, engaged) * np.uint8(ENGAGED)
    labels[np.isin(item_ids, engaged[liked])] = SATISFIED
    return labels.astype(np.uint8)

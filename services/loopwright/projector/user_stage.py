"""Stage 1: events of subjects in, user rows and item facts out, with marks and dedup windows in the same step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence

from loopwright.domain.ids import item_key, logical_partition
from loopwright.eventlog import (
    ACTIONS,
    DEAD_LETTERS,
    IMPRESSIONS,
    ITEM_FACTS,
    LATE,
    ORGANIC,
    PROFILES,
    DedupWindow,
    Event,
    Freshness,
    Offsets,
    Record,
    Topic,
    set_aside,
)
from loopwright.eventlog.dead_letters import LATE_REASON, POISON
from loopwright.featurespec.facts import Fact, FactBatch
from loopwright.featurespec.folds.facts import facts_of
from loopwright.featurespec.folds.users import UserFold, subject_of
from loopwright.featurespec.folds.validity import flaw_of
from loopwright.featurespec.groups import STAGE_USERS, USER_ACTIVITY, USER_HISTORY, USER_STATE_GROUPS
from loopwright.projector import keys
from loopwright.projector.convert import facts_to_events, sourced
from loopwright.projector.marks import Marks
from loopwright.projector.stage import Counts, Outlet
from loopwright.projector.store import StateStore, Write
from loopwright.store import keys as row_keys
from loopwright.telemetry import count, names

TOPICS: tuple[Topic, ...] = (PROFILES, IMPRESSIONS, ACTIONS, ORGANIC)

COUNTED = frozenset({IMPRESSIONS.name, ACTIONS.name, ORGANIC.name})
"""Topics whose events are counted and so must be told from their repetitions; profile events are last-write registers,
which a repetition does not change and to which no event is too late."""

_Place = tuple[str, int]


class UserStage:
    """Folds events into user rows; holds the rows it touched lately, so that most batches read none."""

    name = STAGE_USERS
    topics = TOPICS

    def __init__(
        self, store: StateStore, outlet: Outlet, partitions: Collection[int], *, cached_users: int = 20_000
    ) -> None:
        """Take the store of the rows, where facts and set-aside events go, and the physical partitions to fold."""
        self._store, self._outlet = store, outlet
        self._cached_users = cached_users
        self._users: OrderedDict[bytes, UserFold] = OrderedDict()
        self._windows: dict[_Place, DedupWindow] = {}
        self._item_partitions: dict[int, int] = {}
        self._marks = Marks(self.topics, outlet.physical, partitions)
        self.counts = Counts()

    @property
    def fresh(self) -> bool:
        """Whether nothing was ever folded into the store."""
        return self._marks.fresh

    async def load(self) -> Offsets:
        """Forget everything held in memory, read marks and windows, and return where to read on."""
        self._users.clear()
        await self._marks.load(self._store)
        places = [(topic, lp) for topic in sorted(COUNTED) for lp in self._marks.logical]
        stored = await self._store.values([keys.dedup(lp, topic) for topic, lp in places])
        self._windows = {
            place: DedupWindow.decode(raw) if raw else DedupWindow() for place, raw in zip(places, stored, strict=True)
        }
        return self._marks.start()

    async def apply(self, records: Sequence[Record]) -> None:
        """Fold records that were read in offset order; when it returns they are folded for good.

        What it appends is appended before the marks move: a crash between repeats the appends, and stage 2 drops the
        repeated facts by their places.
        """
        new = [record for record in records if self._marks.is_new(record)]
        usable, windows, asides = self._sort(new)
        subjects = {subject_of(record.event) for record in usable} - {b""}
        await self._fetch(subjects)
        facts = self._fold(usable)
        await self._emit(facts, asides)
        writes: dict[int, Write] = {}
        self._encode(subjects, writes)
        for topic, lp in windows:
            writes.setdefault(lp, Write()).values[keys.dedup(lp, topic)] = self._windows[topic, lp].encode()
        self._marks.note(new, writes)
        await self._store.commit(list(writes.values()))
        self._forget_oldest()

    def highest(self) -> Offsets:
        """Return the highest mark in each physical partition."""
        return self._marks.highest()

    async def sweep(self, position: Offsets) -> None:
        """Say that everything before `position` is folded."""
        writes: dict[int, Write] = {}
        self._marks.sweep(position, writes)
        await self._store.commit(list(writes.values()))

    def _sort(self, records: Sequence[Record]) -> tuple[list[Record], set[_Place], list[tuple[Topic, Record, str]]]:
        """Return usable records, the places whose window changed, and what is set aside with its topic and reason."""
        usable: list[Record] = []
        windows: set[_Place] = set()
        asides: list[tuple[Topic, Record, str]] = []
        for record in records:
            flaw = flaw_of(record.event)
            if flaw:
                asides.append((DEAD_LETTERS, record, flaw))
                continue
            if record.topic in COUNTED:
                place = record.topic, record.logical
                freshness = self._windows[place].classify(record.event)
                if freshness is Freshness.DUPLICATE:
                    self.counts.duplicates += 1
                    count(names.EVENTS_DUPLICATE, topic=record.topic)
                    continue
                if freshness is Freshness.LATE:
                    self.counts.late += 1
                    asides.append((LATE, record, ""))
                    continue
                windows.add(place)
            usable.append(record)
        return usable, windows, asides

    async def _fetch(self, subjects: set[bytes]) -> None:
        missing = sorted(subjects - self._users.keys())
        rows = await self._store.rows([row_keys.user_row(subject) for subject in missing], USER_STATE_GROUPS)
        for subject, row in zip(missing, rows, strict=True):
            self._users[subject] = UserFold.decode(row.get(USER_HISTORY), row.get(USER_ACTIVITY))

    def _fold(self, records: Sequence[Record]) -> dict[_Place, tuple[list[Fact], list[tuple[int, int, int]]]]:
        """Apply events to users and return the facts by source topic and item partition, in order of their places."""
        found: dict[_Place, tuple[list[Fact], list[tuple[int, int, int]]]] = {}
        for record in records:
            event: Event = record.event
            subject = subject_of(event)
            if subject:
                self._users[subject].apply(event)
                self._users.move_to_end(subject)
            for index, fact in enumerate(facts_of(event)):
                place = record.topic, self._item_partition(fact.item_id)
                facts, places = found.setdefault(place, ([], []))
                facts.append(fact)
                places.append((record.logical, record.offset, index))
        return found

    def _item_partition(self, item_id: int) -> int:
        partition = self._item_partitions.get(item_id)
        if partition is None:
            if len(self._item_partitions) > 1_000_000:
                self._item_partitions.clear()
            partition = self._item_partitions[item_id] = logical_partition(item_key(item_id))
        return partition

    async def _emit(
        self,
        facts: dict[_Place, tuple[list[Fact], list[tuple[int, int, int]]]],
        asides: Sequence[tuple[Topic, Record, str]],
    ) -> None:
        outlet = self._outlet
        events = [
            entry
            for (topic, partition), (found, places) in sorted(facts.items())
            for entry in facts_to_events(
                sourced(topic, partition, places, FactBatch.of(found)), outlet.clock, outlet.producer
            )
        ]
        await outlet.append(ITEM_FACTS, events)
        for topic, reason in ((LATE, LATE_REASON), (DEAD_LETTERS, POISON)):
            entries = [
                set_aside(record, reason, detail, clock=outlet.clock, producer=outlet.producer)
                for where, record, detail in asides
                if where is topic
            ]
            await outlet.append(topic, entries)

    def _encode(self, subjects: set[bytes], writes: dict[int, Write]) -> None:
        for subject in subjects:
            write = writes.setdefault(logical_partition(subject), Write())
            write.rows[row_keys.user_row(subject)] = self._users[subject].encode()

    def _forget_oldest(self) -> None:
        while len(self._users) > self._cached_users:
            self._users.popitem(last=False)

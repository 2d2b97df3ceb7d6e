"""Stage 1: events of subjects in, user rows and item facts out, with marks and dedup windows in the same step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

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
    classify_all,
)
from loopwright.eventlog.dead_letters import INVALID, LATE_REASON, POISON
from loopwright.featurespec.facts import Fact, FactBatch
from loopwright.featurespec.folds.facts import facts_of
from loopwright.featurespec.folds.said import Said, said_of
from loopwright.featurespec.folds.users import UserFold, subject_of
from loopwright.featurespec.folds.validity import flaw_of
from loopwright.featurespec.groups import STAGE_USERS, USER_ACTIVITY, USER_HISTORY, USER_STATE_GROUPS
from loopwright.projector import keys
from loopwright.projector.convert import facts_to_events, sourced
from loopwright.projector.isolation import Poison, poisonous, without
from loopwright.projector.marks import Marks
from loopwright.projector.stage import Aside, Counts, Outlet
from loopwright.projector.store import StageStore, Write
from loopwright.store import keys as row_keys
from loopwright.telemetry import count, get_logger, names

TOPICS: tuple[Topic, ...] = (PROFILES, IMPRESSIONS, ACTIONS, ORGANIC)

COUNTED = frozenset({IMPRESSIONS.name, ACTIONS.name, ORGANIC.name})
"""Topics whose events are counted and so must be told from their repetitions; profile events are last-write registers,
which a repetition does not change and to which no event is too late."""

_log = get_logger(__name__)
_Place = tuple[str, int]
_Rows = dict[bytes, dict[str, bytes]]
_Derived = list[tuple[bytes, Event]]
_OFFSET = attrgetter("topic", "partition", "offset")


@dataclass(slots=True)
class _Batch:
    """Sound records of a batch by what becomes of them, and the places whose windows changed."""

    usable: list[Record] = field(default_factory=list)
    repeats: list[Record] = field(default_factory=list)
    late: list[Record] = field(default_factory=list)
    windows: set[_Place] = field(default_factory=set)

    def drop(self, poison: Sequence[Poison]) -> None:
        """Take out what cannot be folded."""
        self.usable = without(self.usable, poison)

    def freed(self, poison: Sequence[Poison]) -> list[Record]:
        """Take out and return the repetitions of what cannot be folded."""
        ids = {(record.topic, record.event.event_id) for record, _ in poison}
        freed = [record for record in self.repeats if (record.topic, record.event.event_id) in ids]
        self.repeats = [record for record in self.repeats if (record.topic, record.event.event_id) not in ids]
        return freed

    def add(self, other: _Batch) -> None:
        """Put in what was judged anew, each record in its place's order."""
        self.usable = sorted(self.usable + other.usable, key=_OFFSET) if other.usable else self.usable
        self.repeats += other.repeats
        self.late += other.late
        self.windows |= other.windows


def _sound(records: Sequence[Record]) -> tuple[list[Record], list[Aside]]:
    """Return the records without flaws, and the others as they are set aside."""
    sound: list[Record] = []
    asides: list[Aside] = []
    for record in records:
        if flaw := flaw_of(record.event):
            asides.append(Aside(DEAD_LETTERS, record, INVALID, flaw))
        else:
            sound.append(record)
    return sound, asides


class UserStage:
    """Folds events into user rows; holds the rows it touched lately, so that most batches read none."""

    name = STAGE_USERS
    topics = TOPICS

    def __init__(
        self, store: StageStore, outlet: Outlet, partitions: Collection[int], *, cached_users: int = 20_000
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
        sound, asides = _sound(new)
        batch = self._judge(sound)
        rows, derived, poison = await self._folded(batch)
        asides += [Aside(DEAD_LETTERS, record, POISON, detail) for record, detail in poison]
        asides += [Aside(LATE, record, LATE_REASON) for record in batch.late]
        self._count(batch)
        await self._emit(derived, asides)
        writes: dict[int, Write] = {}
        for subject, states in rows.items():
            write = writes.setdefault(logical_partition(subject), Write())
            write.rows[row_keys.user_row(subject)] = states
        for topic, lp in batch.windows:
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

    def _judge(self, records: Sequence[Record]) -> _Batch:
        """Tell repeated and late records from those to fold, and remember the latter in their windows."""
        batch = _Batch()
        counted = [record for record in records if record.topic in COUNTED]
        judged = iter(classify_all(counted, lambda topic, lp: self._windows[topic, lp]))
        for record in records:
            freshness = next(judged) if record.topic in COUNTED else None
            if freshness is Freshness.DUPLICATE:
                batch.repeats.append(record)
            elif freshness is Freshness.LATE:
                batch.late.append(record)
            else:
                batch.usable.append(record)
                if freshness is Freshness.FRESH:
                    batch.windows.add((record.topic, record.logical))
        return batch

    async def _folded(self, batch: _Batch) -> tuple[_Rows, _Derived, list[Poison]]:
        """Fold what is usable of a batch; return what `_fold` does, and the records that cannot be folded.

        A repetition of one of those is judged anew once its id is free: it may be the one that was repaired.
        """
        poison: list[Poison] = []
        while True:
            await self._fetch(batch.usable)
            try:
                return *self._fold(batch.usable), poison
            except Exception as error:  # some record's fold raises, and rows may be half changed
                _log.warning("a batch cannot be folded as a whole", extra={"cause": type(error).__name__})
                found = await self._isolate(batch.usable)
                if not found:
                    raise
                poison += found
                batch.drop(found)
                batch.add(self._judge(batch.freed(found)))

    def _count(self, batch: _Batch) -> None:
        self.counts.duplicates += len(batch.repeats)
        self.counts.late += len(batch.late)
        for record in batch.repeats:
            count(names.EVENTS_DUPLICATE, topic=record.topic)

    async def _fetch(self, records: Sequence[Record]) -> None:
        """Have the rows of all subjects of these records in memory."""
        missing = sorted({subject_of(record.event) for record in records} - {b""} - self._users.keys())
        rows = await self._store.rows([row_keys.user_row(subject) for subject in missing], USER_STATE_GROUPS)
        for subject, row in zip(missing, rows, strict=True):
            self._users[subject] = UserFold.decode(row.get(USER_HISTORY), row.get(USER_ACTIVITY))

    def _fold(self, records: Sequence[Record]) -> tuple[_Rows, _Derived]:
        """Apply events to users; return the rows that changed, encoded, and the events of `item_facts`."""
        read = [(record, said_of(record.event)) for record in records]
        changed: dict[bytes, UserFold] = {}
        for record, said in read:
            subject = said.subject
            if subject:
                fold = changed.get(subject)
                if fold is None:
                    fold = changed[subject] = self._users[subject]
                    self._users.move_to_end(subject)
                fold.take(said, record.event)
        return {subject: fold.encode() for subject, fold in changed.items()}, self._derive(read)

    def _derive(self, read: Sequence[tuple[Record, Said]]) -> _Derived:
        """Return key and event of the facts in the records, by source topic and item partition, in place order."""
        found: dict[_Place, tuple[list[Fact], list[tuple[int, int, int]]]] = {}
        for record, said in read:
            topic, offset, logical = record.topic, record.offset, record.logical
            for index, fact in enumerate(facts_of(record.event, said)):
                place = topic, self._item_partition(fact.item_id)
                if place not in found:
                    found[place] = [], []
                facts, places = found[place]
                facts.append(fact)
                places.append((logical, offset, index))
        return [
            entry
            for (topic, partition), (facts, places) in sorted(found.items())
            for entry in facts_to_events(
                sourced(topic, partition, places, FactBatch.of(facts)), self._outlet.clock, self._outlet.producer
            )
        ]

    async def _isolate(self, records: Sequence[Record]) -> list[Poison]:
        """Return the records that cannot be folded; afterwards rows and windows are as if they had not been there."""
        of_subject: dict[bytes, list[Record]] = {}
        for record in records:
            of_subject.setdefault(subject_of(record.event), []).append(record)
        for subject in of_subject:
            self._users.pop(subject, None)
        await self._fetch(records)  # the rows as they were before the batch
        poison: list[Poison] = []
        for subject, theirs in of_subject.items():
            before = self._users[subject].encode() if subject else {}
            poison += poisonous(theirs, before, lambda states: _Scratch(states, self._derive))[0]
        ids: dict[_Place, set[bytes]] = {}
        for record, _ in poison:
            if record.topic in COUNTED:
                ids.setdefault((record.topic, record.logical), set()).add(record.event.event_id)
        for place, identities in ids.items():
            self._windows[place].forget(identities)
        return poison

    def _item_partition(self, item_id: int) -> int:
        partition = self._item_partitions.get(item_id)
        if partition is None:
            if len(self._item_partitions) > 1_000_000:
                self._item_partitions.clear()
            partition = self._item_partitions[item_id] = logical_partition(item_key(item_id))
        return partition

    async def _emit(self, derived: _Derived, asides: Sequence[Aside]) -> None:
        await self._outlet.append(ITEM_FACTS, derived)
        for topic in (LATE, DEAD_LETTERS):
            await self._outlet.set_aside([aside for aside in asides if aside.topic is topic])

    def _forget_oldest(self) -> None:
        while len(self._users) > self._cached_users:
            self._users.popitem(last=False)


class _Scratch:
    """One user's row and facts, to find out what cannot be folded."""

    def __init__(self, states: dict[str, bytes], derive: Callable[[Sequence[tuple[Record, Said]]], _Derived]) -> None:
        self._fold = UserFold.decode(states.get(USER_HISTORY), states.get(USER_ACTIVITY))
        self._derive = derive

    def apply(self, record: Record) -> None:
        said = said_of(record.event)
        self._derive([(record, said)])
        self._fold.take(said, record.event)

    def encode(self) -> dict[str, bytes]:
        return self._fold.encode()

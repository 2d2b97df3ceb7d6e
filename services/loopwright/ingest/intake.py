"""Judges batches and single facts, appends what holds, and answers when it is durable; the servicer calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loopwright.domain.ids import item_id, item_key
from loopwright.eventlog import CATALOG, ORGANIC, PROFILES, Event, EventLog, Topic
from loopwright.faults import UnknownItem
from loopwright.ingest import convert
from loopwright.ingest.known_items import KnownItems
from loopwright.ingest.rows import InteractionRow, ItemRow, ProfileRow, Receipt, Refusal, Relation, content_of
from loopwright.ingest.times import Span
from loopwright.ingest.watermarks import Watermarks
from loopwright.lifecycle import MeshClock
from loopwright.rpc import Deadline

UNKNOWN_ITEM = Refusal("item_id", "UNKNOWN_ITEM", "must be an item of the catalogue")
ID_COLLISION = Refusal("item_id", "ID_COLLISION", "another item of the catalogue has the same 64-bit id")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a batch may take to append, and how far past mesh time a fact may be."""

    append_timeout_s: float
    slack_ms: int


class Batch:
    """What of a batch is to be appended, and what is refused."""

    def __init__(self) -> None:
        self.entries: list[tuple[bytes, Event]] = []
        self.newest_ms = -(1 << 62)
        self.refused: list[tuple[int, Refusal]] = []

    def add(self, key: bytes, event: Event, occurred_ms: int) -> None:
        """Take an event in."""
        self.entries.append((key, event))
        self.newest_ms = max(self.newest_ms, occurred_ms)

    def receipt(self, rows: int) -> Receipt:
        """Return the answer once the entries are durable."""
        return Receipt(rows - len(self.refused), tuple(self.refused))


class Intake:
    """One per process. Batches go one after the other: lateness is judged by what came before, and the clock is still.

    Args:
        log: Where to append.
        clock: The mesh clock.
        items: The known items, kept by a tail.
        marks: The watermarks of the log.
        subject: External user id to subject.
        gate: Held while facts are stamped and appended; setting the clock holds it too.
        limits: See `Limits`.
    """

    def __init__(
        self,
        log: EventLog,
        clock: MeshClock,
        items: KnownItems,
        marks: Watermarks,
        subject: Callable[[str], bytes],
        gate: asyncio.Lock,
        limits: Limits,
    ) -> None:
        self._log, self._clock, self._items, self._marks = log, clock, items, marks
        self._subject, self._gate, self._limits = subject, gate, limits

    async def items(self, rows: Sequence[ItemRow], deadline: Deadline) -> Receipt:
        """Append the items that are new or changed.

        Raises:
            AppendTimeout, LogUnavailable: Not all of it is durable; send the batch again.
        """
        async with self._gate:
            span, batch, named = self._span(CATALOG), Batch(), dict[int, str]()
            # Rows without a time have the same one, so that nothing would order two of them: the last one stands.
            last = {row.external_id: index for index, row in enumerate(rows) if row.occurred_at_ms is None}
            for index, row in enumerate(rows):
                if row.occurred_at_ms is None and last[row.external_id] != index:
                    continue
                if self._items.holds(row.external_id, content_of(row), row.occurred_at_ms):
                    continue
                item = item_id(row.external_id)
                occurred = span.now_ms if row.occurred_at_ms is None else row.occurred_at_ms
                if self._items.collides(row.external_id) or named.setdefault(item, row.external_id) != row.external_id:
                    batch.refused.append((index, ID_COLLISION))
                elif refusal := span.refusal(occurred):
                    batch.refused.append((index, refusal))
                else:
                    batch.add(item_key(item), convert.item_event(row, item, occurred, self._clock), occurred)
            await self._append(CATALOG, batch, deadline)
            for _, event in batch.entries:
                self.note(event)
            return batch.receipt(len(rows))

    async def profiles(self, rows: Sequence[ProfileRow], deadline: Deadline) -> Receipt:
        """Append the profiles.

        Raises:
            AppendTimeout, LogUnavailable: Not all of it is durable; send the batch again.
        """
        async with self._gate:
            span, batch = self._span(PROFILES), Batch()
            for index, row in enumerate(rows):
                occurred = span.now_ms if row.occurred_at_ms is None else row.occurred_at_ms
                if refusal := span.refusal(occurred):
                    batch.refused.append((index, refusal))
                else:
                    subject = self._subject(row.user_id)
                    batch.add(subject, convert.profile_event(row, subject, occurred, self._clock), occurred)
            await self._append(PROFILES, batch, deadline)
            return batch.receipt(len(rows))

    async def interactions(self, rows: Sequence[InteractionRow], surface: str, deadline: Deadline) -> Receipt:
        """Append the interactions that are not on the log yet.

        Raises:
            AppendTimeout, LogUnavailable: Not all of it is durable; send the batch again.
        """
        async with self._gate:
            span, batch, fresh = self._span(ORGANIC), Batch(), set[bytes]()
            recent, recorded = self._marks.recent, convert.recorded_at(self._clock)
            for index, row in enumerate(rows):
                item = self._items.item_of(row.item_id)
                if item is None:
                    batch.refused.append((index, UNKNOWN_ITEM))
                    continue
                subject = self._subject(row.user_id)
                identity = convert.organic_id(row, subject, item)
                if identity in fresh or identity in recent:
                    continue
                occurred = span.now_ms if row.occurred_at_ms is None else row.occurred_at_ms
                if refusal := span.refusal(occurred):
                    batch.refused.append((index, refusal))
                    continue
                fresh.add(identity)
                event = convert.organic_event(row, identity, subject, item, occurred, recorded, surface)
                batch.add(subject, event, occurred)
            await self._append(ORGANIC, batch, deadline)
            for identity in fresh:
                recent.add(identity)
            return batch.receipt(len(rows))

    async def withdraw(self, external_id: str, reason: str, deadline: Deadline) -> None:
        """Take an item out of every list.

        Raises:
            UnknownItem: It is not in the catalogue.
            AppendTimeout, LogUnavailable: It is not durable.
        """
        item = self._known(external_id)
        await self._one(CATALOG, item_key(item), lambda: convert.withdrawn_event(item, reason, self._clock), deadline)

    async def change_inventory(self, external_id: str, available: int, deadline: Deadline) -> None:
        """State an item's stock; raises as `withdraw` does."""
        item = self._known(external_id)
        await self._one(
            CATALOG, item_key(item), lambda: convert.inventory_event(item, available, self._clock), deadline
        )

    async def label_safety(self, external_id: str, safe: bool, reason: str, deadline: Deadline) -> None:
        """State whether an item may be shown; raises as `withdraw` does."""
        item = self._known(external_id)
        await self._one(
            CATALOG, item_key(item), lambda: convert.safety_event(item, safe, reason, self._clock), deadline
        )

    async def relate(
        self, user_id: str, creator: str, relation: Relation, client_event_id: str, deadline: Deadline
    ) -> None:
        """State how a user stands to a creator.

        Raises:
            AppendTimeout, LogUnavailable: It is not durable.
        """
        subject = self._subject(user_id)
        await self._one(
            PROFILES,
            subject,
            lambda: convert.relation_event(subject, creator, relation, client_event_id, self._clock),
            deadline,
        )

    async def erase(self, user_id: str, deadline: Deadline) -> None:
        """Record that a user asked to be forgotten; raises as `relate` does."""
        subject = self._subject(user_id)
        await self._one(PROFILES, subject, lambda: convert.erased_event(subject, self._clock), deadline)

    def note(self, event: Event) -> None:
        """Fold a CATALOG event into the known items; the tail and our own appends come here."""
        if fact := convert.catalogue_fact(event):
            self._items.apply(fact)

    def _known(self, external_id: str) -> int:
        item = self._items.item_of(external_id)
        if item is None:
            raise UnknownItem()
        return item

    def _span(self, topic: Topic) -> Span:
        return Span.of(self._clock.now_ms(), self._marks.settled_ms(topic), self._limits.slack_ms)

    async def _one(self, topic: Topic, key: bytes, make: Callable[[], Event], deadline: Deadline) -> None:
        async with self._gate:
            batch = Batch()
            batch.add(key, make(), self._clock.now_ms())
            await self._append(topic, batch, deadline)
            self.note(batch.entries[0][1])

    async def _append(self, topic: Topic, batch: Batch, deadline: Deadline) -> None:
        if not batch.entries:
            return
        within = deadline.child(self._limits.append_timeout_s)
        positions = await self._log.append_many(topic, batch.entries, deadline=within)
        self._marks.appended(topic, positions, batch.newest_ms)

"""State group `item_content.v1`: the catalogue facts of one item as last-write registers by (event time, event id)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from loopwright.domain.enums import Eligibility
from loopwright.featurespec import codec
from loopwright.featurespec.content_vector import DIMENSION

_VERSION = 1
_SKETCH = struct.Struct(f"<{DIMENSION}h")
_STAMP = struct.Struct("<q16s")
MOST_TEXTS = 64


class Stamp(NamedTuple):
    """When a register was written and by which event; the greater one wins."""

    time_ms: int
    event_id: bytes


NEVER = Stamp(-1, bytes(16))


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the catalogue says of an item; `published_ms` -1 and empty texts: it does not say.

    Attributes:
        sketch: 16 sums of signed buckets, of the tags, else of the words of the texts.
    """

    external_id: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    creator: str = ""
    published_ms: int = -1
    locale: str = ""
    sketch: tuple[int, ...] = (0,) * DIMENSION


@dataclass(frozen=True, slots=True)
class ItemContent:
    """The registers of one item: the whole item, its withdrawal, its stock, its safety."""

    upserted: Stamp = NEVER
    first_upsert_ms: int = -1
    facts: ItemFacts = ItemFacts()
    withdrawn: Stamp = NEVER
    stocked: Stamp = NEVER
    available: int = 0
    labelled: Stamp = NEVER
    safe: bool = True

    @property
    def eligibility(self) -> int:
        """The `Eligibility` bits."""
        bits = 0
        if self.upserted == NEVER:
            bits |= Eligibility.UNKNOWN_ITEM
        if self.withdrawn > self.upserted:
            bits |= Eligibility.WITHDRAWN
        if self.stocked != NEVER and self.available == 0:
            bits |= Eligibility.OUT_OF_STOCK
        if not self.safe:
            bits |= Eligibility.UNSAFE
        return int(bits)


UNKNOWN = ItemContent()


def encode(content: ItemContent) -> bytes:
    """Return the canonical bytes of a state."""
    facts = content.facts
    stamps = (content.upserted, content.withdrawn, content.stocked, content.labelled)
    parts = [bytes([_VERSION]), *(_STAMP.pack(*stamp) for stamp in stamps)]
    parts.append(struct.pack("<qqQB", content.first_upsert_ms, facts.published_ms, content.available, content.safe))
    parts.append(_SKETCH.pack(*facts.sketch))
    parts += [codec.text(value) for value in (facts.external_id, facts.title, facts.creator, facts.locale)]
    parts.append(bytes([len(facts.tags)]))
    parts += [codec.text(tag) for tag in facts.tags]
    return b"".join(parts)


def decode(raw: bytes) -> ItemContent:
    """Return the state of bytes that `encode` made.

    Raises:
        CorruptRecord: The bytes are not an encoded state.
    """
    reader = codec.Reader(raw, "item_content.v1", _VERSION)
    upserted, withdrawn, stocked, labelled = (Stamp(*_STAMP.unpack(reader.take(_STAMP.size))) for _ in range(4))
    first_upsert_ms, published_ms = reader.i64(), reader.i64()
    available, safe = struct.unpack("<QB", reader.take(9))
    sketch = _SKETCH.unpack(reader.take(_SKETCH.size))
    external_id, title, creator, locale = (reader.text() for _ in range(4))
    tags = tuple(reader.text() for _ in range(reader.u8()))
    reader.end()
    facts = ItemFacts(external_id, title, tags, creator, published_ms, locale, sketch)
    return ItemContent(upserted, first_upsert_ms, facts, withdrawn, stocked, int(available), labelled, bool(safe))

"""A funnel as the parts that its topic carries, and back: exposure packs, `explain` and verification unpack."""

from __future__ import annotations

from collections.abc import Iterable

import zstandard

from loopwright.api.events.v1 import decision_pb2 as pb
from loopwright.faults import CorruptRecord

PART_BYTES = 512 * 1024
"""Most bytes of one FunnelChunk's data."""

MAX_FUNNEL_BYTES = 64 * 1024 * 1024
"""Most bytes of an encoded funnel that is unpacked; 10,000 candidates of 60 columns take about 3 MB."""


def pack_funnel(encoded: bytes, part_bytes: int = PART_BYTES) -> list[bytes]:
    """Return the zstd-compressed encoded Funnel in parts of at most `part_bytes`; at least one part."""
    packed = zstandard.ZstdCompressor(level=1).compress(encoded)
    return [packed[start : start + part_bytes] for start in range(0, len(packed), part_bytes)]


def unpack_funnel(parts: Iterable[bytes]) -> pb.Funnel:
    """Return the funnel that `pack_funnel` packed, from all of its parts in order.

    Raises:
        CorruptRecord: A part is missing or damaged.
    """
    try:
        raw = zstandard.ZstdDecompressor().decompress(b"".join(parts), max_output_size=MAX_FUNNEL_BYTES)
        return pb.Funnel.FromString(raw)
    except Exception as error:
        raise CorruptRecord("a funnel could not be read from its parts") from error

"""The answer of a recommend call to and from messages, and the stored form that answers a repeated request_id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import zstandard

from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.domain.enums import SCHEMES, SOURCES, Scheme, Source
from loopwright.faults import CorruptRecord
from loopwright.pipeline.answer import Answer, RecommendedItem
from loopwright.pipeline.convert.degradations import (
    degradations_from_proto,
    degradations_to_proto,
    versions_from_proto,
    versions_to_proto,
)
from loopwright.pipeline.convert.parsing import milliseconds, parse_enum, timestamp

HASH_BYTES = 16
"""Length of the request hash in front of a stored answer."""

_COMPRESSOR = zstandard.ZstdCompressor(level=1)  # one event loop packs answers; making one costs more than its work
_PENDING = b"\0"  # where a stored answer has the first byte of its zstd frame, 0x28

MAX_STORED_BYTES = 65_536
"""Most bytes a stored answer may take; a longer one is not stored."""


def answer_to_proto(answer: Answer) -> pb.RecommendResponse:
    """Return the answer as a message."""
    items: list[Any] = [  # as dictionaries: a message each would be made only to be copied into the answer
        {
            "item_id": item.external_id,
            "position": item.position,
            "sources": item.sources,
            "p_shown": item.p_shown,
            "p_position": item.p_position,
            "scheme": item.scheme,
            "exposure_token": item.exposure_token,
        }
        for item in answer.items
    ]
    return pb.RecommendResponse(
        decision_id=answer.decision_id.hex(),
        versions=versions_to_proto(answer.versions),
        arm=answer.arm,
        items=items,
        degradations=degradations_to_proto(answer.degradations),
        decided_at=timestamp(answer.decided_at_ms),
        replayed=answer.replayed,
    )


def answer_from_proto(message: pb.RecommendResponse) -> Answer:
    """Return the message as an answer.

    Raises:
        InvalidRequest: An enumeration or id that this build does not know.
    """
    try:
        items = tuple(
            [
                RecommendedItem(
                    item.item_id,
                    item.position,
                    tuple([SOURCES[source] for source in item.sources]),
                    item.p_shown,
                    item.p_position,
                    SCHEMES[item.scheme],
                    item.exposure_token,
                )
                for item in message.items
            ]
        )
    except KeyError:
        _check_items(message)
        raise
    return Answer(
        decision_id=bytes.fromhex(message.decision_id),
        versions=versions_from_proto(message.versions),
        arm=message.arm,
        items=items,
        degradations=degradations_from_proto(message.degradations),
        decided_at_ms=milliseconds(message.decided_at, "decided_at"),
        replayed=message.replayed,
    )


def _check_items(message: pb.RecommendResponse) -> None:
    """Name the first field of an item that holds what this build does not know.

    Raises:
        InvalidRequest: There is one.
    """
    for place, item in enumerate(message.items):
        for source in item.sources:
            parse_enum(Source, source, f"items[{place}].sources")
        parse_enum(Scheme, item.scheme, f"items[{place}].scheme")


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer an earlier call with the same request_id was given, and the hash of its request."""

    request_hash: bytes
    answer: Answer


def pack_stored(request_hash: bytes, response: pb.RecommendResponse) -> bytes | None:
    """Return the stored form: request hash, then the zstd-compressed answer; None when it would be too long."""
    packed = request_hash + _COMPRESSOR.compress(response.SerializeToString())
    return packed if len(packed) <= MAX_STORED_BYTES else None


def pack_pending(request_hash: bytes, decision_id: bytes) -> bytes:
    """Return what stands in the place of a stored answer until its record is durable."""
    return request_hash + _PENDING + decision_id


def is_pending(stored: bytes) -> bool:
    """Say whether the bytes only claim a request id: there is no answer that may be told yet."""
    return stored[HASH_BYTES : HASH_BYTES + 1] == _PENDING


def unpack_message(stored: bytes) -> tuple[bytes, pb.RecommendResponse]:
    """Return the request hash and the message of a stored form, marked as replayed.

    Raises:
        CorruptRecord: The bytes are no stored answer.
    """
    try:
        raw = zstandard.ZstdDecompressor().decompress(stored[HASH_BYTES:], max_output_size=1 << 22)
        message = pb.RecommendResponse.FromString(raw)
    except Exception as error:
        raise CorruptRecord("a stored answer could not be read") from error
    message.replayed = True
    return stored[:HASH_BYTES], message


def unpack_stored(stored: bytes) -> StoredAnswer:
    """Return the answer of a stored form, marked as replayed.

    Raises:
        CorruptRecord: The bytes are no stored answer.
    """
    request_hash, message = unpack_message(stored)
    try:
        return StoredAnswer(request_hash, answer_from_proto(message))
    except Exception as error:
        raise CorruptRecord("a stored answer could not be read") from error

"""The candidates' side of hydration to and from messages: the query and the packed columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loopwright.api.hydration.v1 import hydration_service_pb2 as pb
from loopwright.domain.texts import PackedTexts, Texts, texts_of
from loopwright.pipeline.convert.degradations import degradations_from_proto, degradations_to_proto
from loopwright.pipeline.convert.parsing import answer_of, invalid, milliseconds, timestamp
from loopwright.pipeline.convert.tensors import from_tensor, to_tensor
from loopwright.pipeline.convert.user import cross_from_proto, cross_to_proto
from loopwright.pipeline.types import U32, ItemColumns, ItemQuery


def item_query_to_proto(query: ItemQuery) -> pb.GetItemColumnsRequest:
    """Return the query as a request."""
    return pb.GetItemColumnsRequest(
        policy_version=query.policy_version,
        item_ids=to_tensor(query.item_ids),
        now=timestamp(query.now_ms),
        groups=query.groups,
        cross_context=cross_to_proto(query.cross),
    )


def item_query_from_proto(request: pb.GetItemColumnsRequest) -> ItemQuery:
    """Return the request as a query.

    Raises:
        InvalidRequest: A tensor is malformed or the time out of range.
    """
    return ItemQuery(
        policy_version=request.policy_version,
        item_ids=from_tensor(request.item_ids, "item_ids", np.uint64),
        now_ms=milliseconds(request.now, "now"),
        groups=tuple(request.groups),
        cross=cross_from_proto(request.cross_context),
    )


def pack_texts(texts: Sequence[str]) -> PackedTexts:
    """Return texts as their concatenated UTF-8 bytes and offsets into them."""
    return texts.packed() if isinstance(texts, Texts) else texts_of(text.encode() for text in texts)


def unpack_texts(data: bytes, offsets: U32, field: str) -> PackedTexts:
    """Return the texts that `pack_texts` packed.

    Raises:
        InvalidRequest: The offsets do not rise from 0 to the length, or a text is not UTF-8.
    """
    if offsets[0] != 0 or offsets[-1] != len(data) or (offsets[1:] < offsets[:-1]).any():
        raise invalid(field, "offsets", "must rise from 0 to the length of the bytes")
    if data and not data.isascii():
        starts = np.frombuffer(data, dtype=np.uint8)[offsets[offsets < len(data)]]
        if not _is_utf8(data) or ((starts & _CONTINUES_MASK) == _CONTINUES).any():
            raise invalid(field, "utf8", "must be UTF-8")
    return PackedTexts(data, offsets)


_CONTINUES_MASK, _CONTINUES = 0xC0, 0x80
"""A byte of the form 10xxxxxx is inside a character (RFC 3629): no text begins with one."""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def item_columns_to_proto(columns: ItemColumns) -> pb.GetItemColumnsResponse:
    """Return the columns as an answer."""
    texts = pack_texts(columns.external_ids)
    return pb.GetItemColumnsResponse(
        columns=to_tensor(columns.columns),
        group_ages_s=to_tensor(columns.group_ages_s),
        group_mask=to_tensor(columns.group_mask),
        creator_ids=to_tensor(columns.creator_ids),
        first_tag_ids=to_tensor(columns.first_tag_ids),
        eligibility=to_tensor(columns.eligibility),
        content=to_tensor(columns.content),
        external_ids=texts.data,
        external_id_offsets=to_tensor(texts.offsets),
        degradations=degradations_to_proto(columns.degradations),
    )


def item_columns_from_proto(message: pb.GetItemColumnsResponse) -> ItemColumns:
    """Return the answer as columns.

    Raises:
        Internal: The answer is malformed or its parts differ in length.
    """
    with answer_of("hydration"):
        creators = from_tensor(message.creator_ids, "creator_ids", np.uint64)
        n = len(creators)
        ages = from_tensor(message.group_ages_s, "group_ages_s", np.uint32, (n, None))
        offsets = from_tensor(message.external_id_offsets, "external_id_offsets", np.uint32, (n + 1,))
        return ItemColumns(
            columns=from_tensor(message.columns, "columns", np.float16, (n, None)),
            group_ages_s=ages,
            group_mask=from_tensor(message.group_mask, "group_mask", np.uint8, (n, ages.shape[1])),
            creator_ids=creators,
            first_tag_ids=from_tensor(message.first_tag_ids, "first_tag_ids", np.uint64, (n,)),
            eligibility=from_tensor(message.eligibility, "eligibility", np.uint8, (n,)),
            content=from_tensor(message.content, "content", np.float16, (n, None)),
            external_ids=unpack_texts(message.external_ids, offsets, "external_ids"),
            degradations=degradations_from_proto(message.degradations),
        )

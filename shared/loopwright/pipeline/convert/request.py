"""The public recommend request as a domain request: ids hashed, personal data kept apart, the request's own hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from loopwright.api.recommender.v1 import recommender_service_pb2 as pb
from loopwright.domain.enums import Exploration, Purpose
from loopwright.domain.ids import item_id, subject_of
from loopwright.pipeline.convert.answer import HASH_BYTES
from loopwright.pipeline.convert.parsing import milliseconds, parse_enum
from loopwright.pipeline.types import U64, Request


def request_from_proto(message: pb.RecommendRequest, subject_key: bytes) -> Request:
    """Return the request; its fields have passed the validation rules.

    Args:
        message: The validated message.
        subject_key: Key of the subject hash.

    Raises:
        InvalidRequest: An enumeration that this build does not know, or a time out of range.
    """
    anonymous = message.WhichOneof("identity") == "anonymous_id"
    external = message.anonymous_id if anonymous else message.user_id
    decide_at = milliseconds(message.decide_at, "decide_at") if message.HasField("decide_at") else None
    return Request(
        request_id=message.request_id,
        subject=subject_of(external, anonymous=anonymous, key=subject_key),
        raw_external_id=external,
        raw_query_text=message.query_text,
        surface=message.surface,
        session_id=message.session_id,
        page_start=message.page_start,
        k=message.k,
        anchors=_ids(message.anchor_item_ids),
        excluded=_ids(message.exclude_item_ids),
        locale=message.locale,
        client_version=message.client_version,
        purpose=parse_enum(Purpose, message.purpose, "purpose"),
        exploration=Exploration(message.exploration or Exploration.BUNDLE),
        decide_at_ms=decide_at,
        record_funnel=message.record_funnel,
        request_hash=request_hash(message),
    )


def request_hash(message: pb.RecommendRequest) -> bytes:
    """Return 16 bytes over everything asked for but the request id."""
    bare = pb.RecommendRequest()
    bare.CopyFrom(message)
    bare.ClearField("request_id")
    return hashlib.blake2b(bare.SerializeToString(deterministic=True), digest_size=HASH_BYTES).digest()


def _ids(external_ids: Iterable[str]) -> U64:
    return np.array([item_id(e) for e in external_ids], dtype=np.uint64)

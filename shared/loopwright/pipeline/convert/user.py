"""The user's side of hydration to and from messages: query, context, history and cross context."""

from __future__ import annotations

import numpy as np

from loopwright.api.hydration.v1 import hydration_service_pb2 as pb
from loopwright.api.retrieval.v1 import retrieval_service_pb2 as retrieval
from loopwright.domain.vectors import KIND_MASK, LIKED_FLAG
from loopwright.pipeline.convert.degradations import degradations_from_proto, degradations_to_proto
from loopwright.pipeline.convert.parsing import answer_of, milliseconds, timestamp
from loopwright.pipeline.convert.tensors import from_tensor, to_tensor
from loopwright.pipeline.types import CrossContext, History, UserContext, UserQuery


def user_query_to_proto(query: UserQuery) -> pb.GetUserContextRequest:
    """Return the query as a request."""
    return pb.GetUserContextRequest(
        policy_version=query.policy_version,
        subject=query.subject,
        now=timestamp(query.now_ms),
        groups=query.groups,
        read_recent=query.read_recent,
        request_id=query.request_id,
        seen_days=query.seen_days,
    )


def user_query_from_proto(request: pb.GetUserContextRequest) -> UserQuery:
    """Return the request as a query.

    Raises:
        InvalidRequest: The time is out of range.
    """
    return UserQuery(
        policy_version=request.policy_version,
        subject=request.subject,
        now_ms=milliseconds(request.now, "now"),
        groups=tuple(request.groups),
        read_recent=request.read_recent,
        request_id=request.request_id,
        seen_days=request.seen_days,
    )


def history_to_proto(history: History) -> retrieval.History:
    """Return a history as a message; the flag in its kinds travels as a column of its own."""
    return retrieval.History(
        item_ids=to_tensor(history.item_ids),
        kinds=to_tensor(history.kinds & np.uint8(KIND_MASK)),
        values=to_tensor(history.values),
        ages_s=to_tensor(history.ages_s),
        liked=to_tensor(((history.kinds & np.uint8(LIKED_FLAG)) != 0).astype(np.uint8)),
    )


def history_from_proto(message: retrieval.History, field: str = "history") -> History:
    """Return the message as a history.

    Raises:
        InvalidRequest: A column is malformed or of another length.
    """
    item_ids = from_tensor(message.item_ids, f"{field}.item_ids", np.uint64)
    rows = (len(item_ids),)
    kinds = from_tensor(message.kinds, f"{field}.kinds", np.uint8, rows)
    liked = from_tensor(message.liked, f"{field}.liked", np.uint8, rows)
    return History(
        item_ids=item_ids,
        kinds=kinds | np.where(liked != 0, np.uint8(LIKED_FLAG), np.uint8(0)),
        values=from_tensor(message.values, f"{field}.values", np.float32, rows),
        ages_s=from_tensor(message.ages_s, f"{field}.ages_s", np.uint32, rows),
    )


def cross_to_proto(cross: CrossContext) -> pb.CrossContext:
    """Return a cross context as a message."""
    return pb.CrossContext(
        taste=to_tensor(cross.taste),
        tag_ids=to_tensor(cross.tag_ids),
        tag_weights=to_tensor(cross.tag_weights),
        creator_ids=to_tensor(cross.creator_ids),
        creator_weights=to_tensor(cross.creator_weights),
        statistics=to_tensor(cross.statistics),
        locale=cross.locale,
    )


def cross_from_proto(message: pb.CrossContext, field: str = "cross_context") -> CrossContext:
    """Return the message as a cross context.

    Raises:
        InvalidRequest: A vector is malformed, or ids and weights differ in length.
    """
    tag_ids = from_tensor(message.tag_ids, f"{field}.tag_ids", np.uint64)
    creator_ids = from_tensor(message.creator_ids, f"{field}.creator_ids", np.uint64)
    return CrossContext(
        taste=from_tensor(message.taste, f"{field}.taste", np.float32),
        tag_ids=tag_ids,
        tag_weights=from_tensor(message.tag_weights, f"{field}.tag_weights", np.float32, (len(tag_ids),)),
        creator_ids=creator_ids,
        creator_weights=from_tensor(
            message.creator_weights, f"{field}.creator_weights", np.float32, (len(creator_ids),)
        ),
        statistics=from_tensor(message.statistics, f"{field}.statistics", np.float32),
        locale=message.locale,
    )


def user_context_to_proto(context: UserContext) -> pb.GetUserContextResponse:
    """Return the user's context as an answer."""
    return pb.GetUserContextResponse(
        columns=to_tensor(context.columns),
        group_ages_s=to_tensor(context.group_ages_s),
        group_mask=to_tensor(context.group_mask),
        history=history_to_proto(context.history),
        cross_context=cross_to_proto(context.cross),
        acted_item_ids=to_tensor(context.acted),
        viewed_item_ids=to_tensor(context.viewed),
        blocked_item_ids=to_tensor(context.blocked_items),
        blocked_creator_ids=to_tensor(context.blocked_creators),
        recent_item_ids=to_tensor(context.recent),
        stored_answer=context.stored_answer,
        degradations=degradations_to_proto(context.degradations),
    )


def user_context_from_proto(message: pb.GetUserContextResponse) -> UserContext:
    """Return the answer as the user's context.

    Raises:
        Internal: The answer is malformed.
    """
    with answer_of("hydration"):
        ages = from_tensor(message.group_ages_s, "group_ages_s", np.uint32)
        return UserContext(
            columns=from_tensor(message.columns, "columns", np.float16),
            group_ages_s=ages,
            group_mask=from_tensor(message.group_mask, "group_mask", np.uint8, (len(ages),)),
            history=history_from_proto(message.history),
            cross=cross_from_proto(message.cross_context),
            acted=from_tensor(message.acted_item_ids, "acted_item_ids", np.uint64),
            viewed=from_tensor(message.viewed_item_ids, "viewed_item_ids", np.uint64),
            blocked_items=from_tensor(message.blocked_item_ids, "blocked_item_ids", np.uint64),
            blocked_creators=from_tensor(message.blocked_creator_ids, "blocked_creator_ids", np.uint64),
            recent=from_tensor(message.recent_item_ids, "recent_item_ids", np.uint64),
            stored_answer=message.stored_answer,
            degradations=degradations_from_proto(message.degradations),
        )

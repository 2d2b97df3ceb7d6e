"""Policy's query and slate to and from messages; mutations and propensity too, which the record carries."""

from __future__ import annotations

import numpy as np

from loopwright.api.events.v1 import decision_pb2 as events
from loopwright.api.policy.v1 import slate_service_pb2 as pb
from loopwright.domain.enums import Exploration, MutationKind
from loopwright.pipeline.convert.parsing import answer_of, invalid, number, parse_enum
from loopwright.pipeline.convert.tensors import distinct_rows, from_tensor, to_tensor
from loopwright.pipeline.types import Mutation, Propensity, Slate, SlateQuery


def slate_query_to_proto(query: SlateQuery) -> pb.DecideSlateRequest:
    """Return the query as a request."""
    return pb.DecideSlateRequest(
        policy_version=query.policy_version,
        k=query.k,
        seed=query.seed,
        exploration=number(query.exploration),
        item_ids=to_tensor(query.item_ids),
        heads=to_tensor(query.heads),
        head_names=query.head_names,
        creator_ids=to_tensor(query.creator_ids),
        first_tag_ids=to_tensor(query.first_tag_ids),
        eligibility=to_tensor(query.eligibility),
        guards=to_tensor(query.guards),
        content=to_tensor(query.content),
    )


def slate_query_from_proto(request: pb.DecideSlateRequest) -> SlateQuery:
    """Return the request as a query.

    Raises:
        InvalidRequest: A tensor is malformed or its rows are not one a candidate.
    """
    item_ids = from_tensor(request.item_ids, "item_ids", np.uint64)
    n = len(item_ids)
    return SlateQuery(
        policy_version=request.policy_version,
        k=request.k,
        seed=request.seed,
        exploration=parse_enum(Exploration, request.exploration, "exploration"),
        item_ids=item_ids,
        heads=from_tensor(request.heads, "heads", np.float32, (n, len(request.head_names))),
        head_names=tuple(request.head_names),
        creator_ids=from_tensor(request.creator_ids, "creator_ids", np.uint64, (n,)),
        first_tag_ids=from_tensor(request.first_tag_ids, "first_tag_ids", np.uint64, (n,)),
        eligibility=from_tensor(request.eligibility, "eligibility", np.uint8, (n,)),
        guards=from_tensor(request.guards, "guards", np.uint8, (n,)),
        content=from_tensor(request.content, "content", np.float16, (n, None)),
    )


def mutation_to_proto(mutation: Mutation) -> events.Mutation:
    """Return one mutation as a message."""
    return events.Mutation(
        kind=number(mutation.kind),
        item_id=mutation.item_id,
        from_rank=mutation.from_rank,
        to_position=mutation.to_position,
    )


def mutation_from_proto(message: events.Mutation, field: str = "mutations") -> Mutation:
    """Return the message as a mutation.

    Raises:
        InvalidRequest: A kind that this build does not know.
    """
    return Mutation(
        kind=parse_enum(MutationKind, message.kind, f"{field}.kind"),
        item_id=message.item_id,
        from_rank=message.from_rank,
        to_position=message.to_position,
    )


def propensity_to_proto(propensity: Propensity) -> events.Propensity:
    """Return the propensity's numbers as a message."""
    return events.Propensity(rho=propensity.rho, n=propensity.n, m=propensity.m, s=propensity.s)


def propensity_from_proto(message: events.Propensity) -> Propensity:
    """Return the message as the propensity's numbers."""
    return Propensity(rho=message.rho, n=message.n, m=message.m, s=message.s)


def slate_to_proto(slate: Slate) -> pb.DecideSlateResponse:
    """Return the slate as an answer."""
    return pb.DecideSlateResponse(
        slate=to_tensor(slate.indices),
        p_shown=to_tensor(slate.p_shown),
        p_position=to_tensor(slate.p_position),
        schemes=to_tensor(slate.schemes),
        pre_swap_ranks=to_tensor(slate.pre_swap_ranks),
        utility=to_tensor(slate.utility),
        drop_reasons=to_tensor(slate.drop_reasons),
        mutations=[mutation_to_proto(m) for m in slate.mutations],
        propensity=propensity_to_proto(slate.propensity),
    )


def slate_from_proto(message: pb.DecideSlateResponse) -> Slate:
    """Return the answer as a slate.

    Raises:
        Internal: The answer is malformed, or an index of the slate is out of range or twice there.
    """
    with answer_of("policy"):
        indices = from_tensor(message.slate, "slate", np.uint32)
        utility = from_tensor(message.utility, "utility", np.float64)
        length, n = (len(indices),), len(utility)
        if not distinct_rows(indices, n):
            raise invalid("slate", "indices", "must be distinct indices of candidates")
        return Slate(
            indices=indices,
            p_shown=from_tensor(message.p_shown, "p_shown", np.float64, length),
            p_position=from_tensor(message.p_position, "p_position", np.float64, length),
            schemes=from_tensor(message.schemes, "schemes", np.uint8, length),
            pre_swap_ranks=from_tensor(message.pre_swap_ranks, "pre_swap_ranks", np.uint32, length),
            utility=utility,
            drop_reasons=from_tensor(message.drop_reasons, "drop_reasons", np.uint8, (n,)),
            mutations=tuple(mutation_from_proto(m) for m in message.mutations),
            propensity=propensity_from_proto(message.propensity),
        )

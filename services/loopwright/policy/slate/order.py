"""`best_order`: all eligible candidates of a query as one list, best first, such that no stretch of it breaks a cap."""

from __future__ import annotations

import numpy as np

from loopwright.bundle import PolicyBundle
from loopwright.pipeline.types import SlateQuery
from loopwright.policy.slate.constraints import Diversity
from loopwright.policy.slate.draft import Draft
from loopwright.policy.slate.plan import barred_by
from loopwright.policy.slate.pool import I64, make_pool


def best_order(bundle: PolicyBundle, query: SlateQuery) -> I64:
    """Return int64 [n]: rows of the query's eligible candidates in the order in which slates would take them.

    The order comes in rounds. A round takes candidates as a slate without exploration does, by utility, caps and
    diversity, until caps leave nobody; then all counts begin anew. So the first k are the slate of k wherever that
    slate needs no cap lifted, and whatever is taken out of a round, what remains of it keeps the caps.

    Raises:
        InvalidRequest: The query contradicts itself.
        OutputNotFinite: A head score or content vector is not finite.
    """
    pool, _ = make_pool(bundle, query, barred_by(bundle, query))
    draft, diversity = Draft(bundle, pool), Diversity(bundle, pool)
    while len(draft.chosen) < len(pool):
        if draft.leader() is None:
            draft.reopen()
            continue
        index = diversity.choose(draft.closed)
        draft.take(index)
        diversity.chose(index)
    return pool.rows[np.array(draft.chosen, dtype=np.int64)]

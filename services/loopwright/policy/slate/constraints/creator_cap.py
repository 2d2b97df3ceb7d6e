"""At most `constraints.creator_cap` items of one creator; an item without a creator is not capped."""

from __future__ import annotations

from loopwright.domain.enums import DropReason, MutationKind
from loopwright.policy.slate.constraints.cap import Cap

CREATOR_CAP = Cap(
    mutation=MutationKind.CREATOR_CAP,
    reason=DropReason.CREATOR_CAP,
    keys=lambda pool: pool.creator_ids,
    limit=lambda bundle: bundle.constraints.creator_cap,
)

"""At most `constraints.topic_cap` items of one topic, an item's first tag; an untagged item is not capped."""

from __future__ import annotations

from loopwright.domain.enums import DropReason, MutationKind
from loopwright.policy.slate.constraints.cap import Cap

TOPIC_CAP = Cap(
    mutation=MutationKind.TOPIC_CAP,
    reason=DropReason.TOPIC_CAP,
    keys=lambda pool: pool.first_tag_ids,
    limit=lambda bundle: bundle.constraints.topic_cap,
)

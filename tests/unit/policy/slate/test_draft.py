import numpy as np
from tests.unit.policy.slate.conftest import bundle_of, falling, query_of

from loopwright.bundle import PolicyBundle
from loopwright.domain.enums import DropReason, MutationKind
from loopwright.pipeline.types import SlateQuery
from loopwright.policy.slate.draft import Draft
from loopwright.policy.slate.pool import make_pool


def draft_of(bundle: PolicyBundle, query: SlateQuery) -> Draft:
    pool, _ = make_pool(bundle, query, np.zeros(len(query.item_ids), dtype=np.uint8))
    return Draft(bundle, pool)


def test_taking_the_last_item_under_a_cap_closes_the_others_of_its_key() -> None:
    draft = draft_of(bundle_of(creator_cap=2), query_of(falling(5), creators=[1, 1, 1, 2, 0]))
    draft.take(0)
    assert draft.closed.tolist() == [True, False, False, False, False]
    draft.take(1)
    assert draft.closed.tolist() == [True, True, True, False, False]
    assert draft.leader() == 3


def test_whoever_is_held_back_is_noted_only_when_its_turn_has_come_and_by_the_cap_that_closed_it_first() -> None:
    draft = draft_of(
        bundle_of(creator_cap=1, topic_cap=1), query_of(falling(4), creators=[1, 1, 2, 2], tags=[1, 1, 1, 2])
    )
    draft.take(0)
    assert draft.held == {}
    assert draft.leader() == 3
    assert draft.held == {1: DropReason.CREATOR_CAP, 2: DropReason.TOPIC_CAP}
    assert [entry.kind for entry in draft.mutations] == [MutationKind.CREATOR_CAP, MutationKind.TOPIC_CAP]


def test_when_all_are_closed_there_is_no_leader_and_the_best_of_the_held_back_is_lifted() -> None:
    draft = draft_of(bundle_of(creator_cap=1), query_of(falling(3), creators=[1, 1, 1]))
    draft.take(0)
    assert draft.leader() is None
    assert draft.lifted() == 1
    draft.take(1)
    assert 1 not in draft.held
    assert draft.lifted() == 2

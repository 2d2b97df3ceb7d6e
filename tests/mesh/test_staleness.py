"""A projector that stands makes every answer say which feature groups are stale; groups with facts carry signal."""

from __future__ import annotations

import numpy as np
import pytest

from loopwright.domain.enums import DegradationReason, Mask
from loopwright.eventlog import DECISIONS
from loopwright.featurespec.groups import GROUPS, ITEM_GROUPS, USER_GROUPS, group
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition import OneProcess
from loopwright.localmesh.proofs import verify_many
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.convert.tensors import from_tensor
from tests.mesh.world import USERS, activate, recorded_whole, request, soon

USERS_LAG_S, ITEMS_LAG_S = (GROUPS[name].max_lag_s for name in (USER_GROUPS[0], ITEM_GROUPS[0]))


def stale(answer: Answer) -> list[str]:
    assert {d.reason for d in answer.degradations} <= {DegradationReason.STALE_FEATURES}
    return [d.subject for d in answer.degradations]


async def test_a_projector_that_stands_for_the_longest_lag_flags_every_answer(
    mesh: OneProcess, clock: FixedClock
) -> None:
    number = 0

    async def answers() -> list[list[str]]:
        nonlocal number
        number += 3
        return [stale(await mesh.recommend(request(f"u{n % 5}", n), soon())) for n in range(number - 3, number)]

    async with mesh.paused_projector():
        assert await answers() == [[]] * 3
        clock.advance(round(USERS_LAG_S * 1000))
        await mesh.settle()  # the mirrors are current; the projector stands
        assert await answers() == [[]] * 3
        clock.advance(1)
        await mesh.settle()
        assert await answers() == [list(USER_GROUPS)] * 3
        clock.advance(round((ITEMS_LAG_S - USERS_LAG_S) * 1000))
        await mesh.settle()
        assert await answers() == [[*USER_GROUPS, *ITEM_GROUPS]] * 3
    await mesh.settle()
    assert await answers() == [[]] * 3


async def test_stale_answers_say_so_on_record_and_still_prove_themselves(mesh: OneProcess, clock: FixedClock) -> None:
    await activate(mesh, recorded_whole())
    async with mesh.paused_projector():
        clock.advance(round(ITEMS_LAG_S * 1000) + 1)
        await mesh.settle()
        await mesh.recommend(request(), soon())
    [event] = mesh.broker.records(DECISIONS)
    assert [d.subject for d in event.slate_decided.degradations] == [*USER_GROUPS, *ITEM_GROUPS]
    assert (await verify_many(mesh.log("cli"), mesh.models, 10, 1)).broken == {}


async def test_every_group_the_catalogue_has_facts_for_is_mostly_not_default(mesh: OneProcess) -> None:
    for user in range(USERS):
        assert (await mesh.recommend(request(f"u{user}", user), soon())).degradations == ()
    shares = _shares(mesh)
    assert set(shares) == {*USER_GROUPS, *ITEM_GROUPS}
    assert {name: share for name, share in shares.items() if share < 0.5} == {}


async def test_a_new_user_has_defaults_and_no_degradation(mesh: OneProcess) -> None:
    assert stale(await mesh.recommend(request("nobody"), soon())) == []
    shares = _shares(mesh)
    assert {shares[name] for name in USER_GROUPS} == {0.0}
    assert shares["cross_affinity.v1"] == 0.0 and shares["item_content.v1"] == 1.0


@pytest.mark.parametrize("name", [*USER_GROUPS, *ITEM_GROUPS])
async def test_every_group_bounds_its_staleness(name: str) -> None:
    assert 0 < group(name).max_lag_s <= 60 and group(name).stages


def _shares(mesh: OneProcess) -> dict[str, float]:
    """Return group -> share of cells on record that come from facts; items: those of the slates."""
    masks: dict[str, list[np.ndarray]] = {}
    for event in mesh.broker.records(DECISIONS):
        decided = event.slate_decided
        user = from_tensor(decided.user_group_mask, "user_group_mask", np.uint8, (None,)).reshape(1, -1)
        items = from_tensor(decided.slate_candidates.group_mask, "group_mask", np.uint8, (None, None))
        for groups, block in ((decided.user_groups, user), (decided.item_groups, items)):
            for place, name in enumerate(groups):
                masks.setdefault(name, []).append(block[:, place])
    return {name: float((np.concatenate(found) == Mask.PRESENT).mean()) for name, found in masks.items()}

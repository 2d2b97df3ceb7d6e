"""The loop in one process: facts in, slate out, feedback in, the next slate differs, the record proves itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loopwright.domain.enums import ActionKind, Source
from loopwright.domain.ids import item_id
from loopwright.eventlog import ACTIONS, DECISIONS, IMPRESSIONS, replay
from loopwright.exposure.reports import Act, View
from loopwright.ingest.rows import ItemRow
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.composition import OneProcess
from loopwright.localmesh.proofs import recorded_decision, verifier, verify_many
from loopwright.localmesh.verify import Proof
from loopwright.pipeline.answer import Answer
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.record import DecisionRecord
from loopwright.pipeline.types import UserQuery
from tests.mesh.world import DAY_MS, activate, recorded_whole, request, soon, with_tiny_models


async def feedback(mesh: OneProcess, answer: Answer, views: int, clicks: int) -> None:
    """Report the first `views` items as seen and the first `clicks` of them as clicked."""
    told = [View(item.exposure_token, 1_500, True) for item in answer.items[:views]]
    assert not (await mesh.exposure.feedback.report_views("v1", told, soon())).duplicate
    acts = [Act(i.exposure_token, f"c{i.position}", ActionKind.CLICK, 1.0, None) for i in answer.items[:clicks]]
    assert not any(receipt.duplicate for receipt in await mesh.exposure.feedback.report_acts(acts, soon()))


async def test_what_a_user_saw_or_did_is_not_shown_again(mesh: OneProcess, clock: FixedClock) -> None:
    first = await mesh.recommend(request(number=1), soon())
    assert len(first.items) == 10 and first.degradations == ()
    assert all(item.exposure_token for item in first.items)
    await feedback(mesh, first, views=6, clicks=2)
    clock.advance(11 * 60_000)  # past `recent`: only what was confirmed guards
    await mesh.settle()

    second = await mesh.recommend(request(number=2), soon())
    seen, again = {i.external_id for i in first.items[:6]}, {i.external_id for i in second.items}
    assert not seen & again
    unconfirmed = {i.external_id for i in first.items[6:]}
    assert unconfirmed & again

    clock.advance(31 * DAY_MS)  # past `seen_days`: a view is forgotten, an action is not
    await mesh.settle()
    user = await mesh.services.hydration.hydrator.user_context(_query(mesh, clock), soon())
    assert {item_id(i.external_id) for i in first.items[:2]} <= set(user.acted.tolist())
    assert not {item_id(i.external_id) for i in first.items[2:6]} & set(user.viewed.tolist())


async def test_a_slate_guards_itself_for_ten_minutes(mesh: OneProcess) -> None:
    first = await mesh.recommend(request(number=1), soon())
    second = await mesh.recommend(request(number=2), soon())
    assert not {i.external_id for i in first.items} & {i.external_id for i in second.items}


async def test_feedback_stands_on_the_log_and_in_the_counts_once(mesh: OneProcess) -> None:
    answer = await mesh.recommend(request(), soon())
    shown = answer.items[0]
    act = Act(shown.exposure_token, "c1", ActionKind.CLICK, 1.0, None)
    view = [View(shown.exposure_token, 900, True)]
    table = mesh.services.hydration.mirror.table
    row = table.rows_of(np.array([item_id(shown.external_id)], np.uint64))
    before, viewed = int(table.engagements[row][0]), int(table.views[row][0])
    first = await mesh.exposure.feedback.report_acts([act], soon())
    again = await mesh.exposure.feedback.report_acts([act], soon())
    await mesh.exposure.feedback.report_views("v1", view, soon())
    assert (await mesh.exposure.feedback.report_views("v1", view, soon())).duplicate
    await mesh.settle()
    assert [first[0].duplicate, again[0].duplicate] == [False, True]
    assert len(mesh.broker.records(ACTIONS)) == 1 and len(mesh.broker.records(IMPRESSIONS)) == 1
    row = table.rows_of(np.array([item_id(shown.external_id)], np.uint64))
    assert (int(table.engagements[row][0]), int(table.views[row][0])) == (before + 1, viewed + 1)


async def test_a_new_item_and_a_new_user_take_part_as_soon_as_the_mesh_has_settled(mesh: OneProcess) -> None:
    row = ItemRow("new", "New", ("tag1",), "somebody", None, "en", "", None)
    assert (await mesh.ingest.intake.items([row], soon())).accepted == 1
    await mesh.settle()
    answer = await mesh.recommend(request("nobody", 9, k=100), soon())
    fresh = [item for item in answer.items if item.external_id == "new"]
    assert fresh and Source.FRESH in fresh[0].sources


@pytest.mark.parametrize("ranked", [False, True])
async def test_records_prove_themselves(mesh: OneProcess, tmp_path: Path, ranked: bool) -> None:
    bundle = recorded_whole(exploration__slice_rate=0.3)
    await activate(mesh, with_tiny_models(mesh, bundle) if ranked else bundle)
    for number in range(8):
        answer = await mesh.recommend(request(f"u{number}", number), soon())
        assert answer.degradations == ()
    proven = await verify_many(mesh.log("cli"), mesh.models, 100, 1)
    assert proven.eligible == len(proven.proofs) == 8
    assert proven.broken == {} and proven.holding == 8
    assert (proven.rankers == ("",)) is not ranked


async def test_a_slate_whose_funnel_is_not_on_record_proves_what_it_can(mesh: OneProcess) -> None:
    await activate(mesh, with_tiny_models(mesh, recorded_whole(funnel__rate=0.0, exploration__slice_rate=0.0)))
    await mesh.recommend(request(), soon())
    [(record, proof)] = await proofs_of(mesh)
    assert record.candidates is None and not proof.full
    assert proof.holds, proof.broken
    assert "heads" in {link.name for link in proof.links}


async def proofs_of(mesh: OneProcess) -> list[tuple[DecisionRecord, Proof]]:
    found: list[tuple[DecisionRecord, Proof]] = []
    async with verifier(mesh.log("cli"), mesh.models) as checker:
        async for records in replay(mesh.log("cli"), [DECISIONS]):
            decisions = [recorded_decision(record.event, {}) for record in records]
            found += [(decision, checker.verify(decision)) for decision in decisions]
    return found


def _query(mesh: OneProcess, clock: FixedClock) -> UserQuery:
    active = mesh.services.recommender.feed.active("home")
    assert active is not None
    bundle = mesh.services.recommender.feed.get(active.version)
    assert bundle is not None
    return Plan(active.version, bundle, request(number=3), clock.now_ms(), 1, 1.0).user_query()

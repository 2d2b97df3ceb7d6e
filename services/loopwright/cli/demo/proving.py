"""Steps that hold the record to its word: one decision explained and proven, then a random sample of all."""

from __future__ import annotations

import asyncio

from loopwright.cli.clients import front_door
from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.cli.demo.telling import told_decision
from loopwright.cli.explaining.document import decision_document, proof_document, sample_document
from loopwright.cli.explaining.tables import sample_table
from loopwright.cli.importing.rows import read_items
from loopwright.domain.enums import Purpose
from loopwright.localmesh.proofs import verifier, verify_many
from loopwright.modelstore import ModelStore

EXPLAIN_WITHIN_S = 30.0


async def explain_one(scene: Scene) -> str:
    """Explain a decision whose slate was clicked, from the log, and prove it link by link.

    Raises:
        DemoFailed: No slate was clicked, or a link of the proof is broken.
    """
    clicked = scene.report.facts["traffic"]["clicked_decisions"]
    if not clicked:
        raise DemoFailed("no slate was clicked: there is no decision worth explaining")
    async with front_door(scene.addresses["recommender"]) as door:
        explained = await door.explain(clicked[-1], EXPLAIN_WITHIN_S)
    async with scene.log() as log, verifier(log, ModelStore(scene.folder / "models")) as checker:
        proof = await asyncio.to_thread(checker.verify, explained.record)
    titles = {item.item_id: item.title for item in read_items(scene.dataset.items, [])}
    scene.report.facts["explained"] = {**decision_document(explained), "proof": proof_document(proof)}
    scene.report.printed += list(told_decision(explained, proof, titles))
    if not proof.holds:
        raise DemoFailed(f"decision {clicked[-1]} does not verify: {', '.join(proof.broken)}")
    return f"decision {clicked[-1]}: {len(proof.links)} links hold"


async def prove_sample(scene: Scene) -> str:
    """Prove random decisions whose whole funnel is on record, of every policy and model the demo ran under.

    Raises:
        DemoFailed: A proof does not hold.
    """
    task = scene.progress.add_task("proofs", total=scene.options.proofs)
    async with scene.log() as log:
        proven = await verify_many(
            log, ModelStore(scene.folder / "models"), scene.options.proofs, scene.options.seed,
            told=lambda done: scene.progress.update(task, completed=done),
            purposes=(Purpose.SERVE, Purpose.EVALUATE),
        )  # fmt: skip
    scene.report.facts["proofs"] = sample_document(proven)
    scene.report.printed.append(sample_table(proven))
    if proven.holding < len(proven.proofs):
        raise DemoFailed(f"{len(proven.proofs) - proven.holding} decisions do not verify: {dict(proven.broken)}")
    return (
        f"{proven.holding} of {len(proven.proofs)} hold, across {len(proven.policies)} policies and "
        f"{len(proven.rankers)} rankers"
    )

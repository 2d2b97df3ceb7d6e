"""`loopwright explain`: asks the front door for a decision's record, prints it, and proves it on request."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from loopwright.cli.clients import Explained, front_door
from loopwright.cli.explaining.document import decision_document, proof_document, sample_document
from loopwright.cli.explaining.tables import funnel_tables, proof_table, sample_table
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import progress_bars
from loopwright.eventlog import KafkaEventLog
from loopwright.faults import Fault
from loopwright.localmesh.proofs import Proven, verifier, verify_many
from loopwright.localmesh.run_file import RunFile
from loopwright.localmesh.verify import Proof
from loopwright.modelstore import ModelStore
from loopwright.pipeline.record import DecisionRecord

EXPLAIN_WITHIN_S = 30.0
DECISION_ID = re.compile(r"[0-9a-f]{32}")
BROKEN = 1


def explain(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="Id of a decision, 32 hex digits, as every "
                                                                       "answer carries it.")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="Prove it link by link: recorded inputs to scores, scores "
                                                          "and seed to slate and propensities.")] = False,
    sample: Annotated[int, typer.Option(min=0, help="Instead of one decision, with --verify: prove this many SERVE "
                                                    "decisions drawn from all whose funnel is on record.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 1,
    features: Annotated[bool, typer.Option("--features", help="Print every feature column by name.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Print how a decision came about, stage by stage; exit code 1 names the broken links of a proof that fails."""
    run = live_mesh(data_dir)
    if bool(sample) == bool(decision) or (sample and not verify):
        err.print("say one DECISION, or --verify --sample COUNT")
        raise typer.Exit(BROKEN)
    if decision and DECISION_ID.fullmatch(decision) is None:
        err.print("a decision id is 32 lower-case hex digits")
        raise typer.Exit(BROKEN)
    try:
        if sample:
            _tell_sample(asyncio.run(_sampled(run, data_dir, sample, seed)), as_json)
        else:
            explained, proof = asyncio.run(_explained(run, data_dir, decision, verify))
            _tell_decision(explained, proof, features, as_json)
    except Fault as fault:
        err.print(str(fault), highlight=False, markup=False)
        raise typer.Exit(BROKEN) from fault


async def _explained(run: RunFile, data_dir: Path, decision: str, verify: bool) -> tuple[Explained, Proof | None]:
    async with front_door(run.addresses["recommender"]) as door:
        explained = await door.explain(decision, EXPLAIN_WITHIN_S)
    return explained, await _proof(run, data_dir, explained.record) if verify else None


async def _proof(run: RunFile, data_dir: Path, record: DecisionRecord) -> Proof:
    async with KafkaEventLog.open(run.addresses["kafka"], producer="cli") as log:
        async with verifier(log, ModelStore(data_dir / "models")) as checker:
            return await asyncio.to_thread(checker.verify, record)


async def _sampled(run: RunFile, data_dir: Path, count: int, seed: int) -> Proven:
    with progress_bars() as progress:
        task = progress.add_task("proofs", total=count)
        async with KafkaEventLog.open(run.addresses["kafka"], producer="cli") as log:
            store = ModelStore(data_dir / "models")
            return await verify_many(
                log, store, count, seed, told=lambda done: progress.update(task, completed=done)
            )  # fmt: skip


def _tell_decision(explained: Explained, proof: Proof | None, features: bool, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = decision_document(explained)
        if proof is not None:
            document["proof"] = proof_document(proof)
        out.print_json(json.dumps(document))
    else:
        for table in funnel_tables(explained, all_columns=features):
            out.print(table)
        if proof is not None:
            out.print(proof_table(proof))
    if proof is not None and not proof.holds:
        err.print(f"broken: {', '.join(proof.broken)}", highlight=False)
        raise typer.Exit(BROKEN)


def _tell_sample(proven: Proven, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(sample_document(proven)))
    else:
        out.print(sample_table(proven))
    if proven.broken:
        err.print(f"broken: {', '.join(proven.broken)}", highlight=False)
        raise typer.Exit(BROKEN)
    if not proven.proofs:
        err.print("no SERVE decision with its whole funnel is on the log: there is nothing to prove")
        raise typer.Exit(BROKEN)

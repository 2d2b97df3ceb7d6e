from dataclasses import replace

import numpy as np
from rich.console import Console, RenderableType

from loopwright.bundle import default_bundle
from loopwright.cli.clients import Explained
from loopwright.cli.explaining.tables import funnel_tables, proof_table, sample_table
from loopwright.domain.enums import DegradationReason, Stage
from loopwright.localmesh.proofs import Proven
from loopwright.localmesh.verify import Link, Proof
from loopwright.pipeline.types import Degradation, Versions


def text_of(*tables: RenderableType) -> str:
    console = Console(width=240)
    with console.capture() as captured:
        for table in tables:
            console.print(table)
    return captured.get()


def test_every_stage_of_the_funnel_is_told(explained: Explained) -> None:
    record = explained.record
    noted = replace(record, degradations=(Degradation(Stage.RETRIEVE, DegradationReason.SOURCE_FAILED, "fresh"),))
    said = text_of(*funnel_tables(replace(explained, record=noted)))
    for wanted in (
        record.decision_id.hex(), record.versions.policy_version, "two_tower", "popularity", "kept by the pre-rank cut",
        "dropped: SEEN", "dropped: CUT", "engage", "satisfied", "CREATOR_CAP", "p_position", "slice rate ρ 0.01",
        "SOURCE_FAILED fresh", "item_trend.v1", "ABSENT", "2.0 ms",
    ):  # fmt: skip
        assert wanted in said, wanted


def test_on_request_every_feature_column_is_named(explained: Explained) -> None:
    said = text_of(*funnel_tables(explained, all_columns=True))
    for group in (*default_bundle().features.user, *default_bundle().features.item):
        assert f"{group}:" in said


def test_a_decision_with_its_slate_only_and_one_without_any_item_are_told_too(explained: Explained) -> None:
    slate_only = replace(explained.record, candidates=None)
    assert "the slate only" in text_of(*funnel_tables(replace(explained, record=slate_only)))
    record = explained.record
    assert record.candidates is not None
    empty = replace(record, slate=(), slate_candidates=record.candidates.take(np.zeros(0, np.intp)), mutations=())
    assert "the whole funnel" in text_of(*funnel_tables(replace(explained, record=empty)))


def test_a_fallback_slate_is_told_with_and_without_columns(stood_in: Explained) -> None:
    for columns in (False, True):
        said = text_of(*funnel_tables(stood_in, all_columns=columns))
        assert "FALLBACK" in said and "fallback" in said and stood_in.record.versions.index_epoch in said
    assert "NOT_ANSWERED" in text_of(*funnel_tables(stood_in))


def test_a_skipped_link_says_why() -> None:
    said = text_of(proof_table(Proof(bytes(16), True, (Link("order", True, "no longer on the log", skipped=True),))))
    assert "skipped" in said and "no longer on the log" in said


def test_a_broken_link_stands_out() -> None:
    proof = Proof(bytes(16), True, (Link("seed", True, "kept quiet"), Link("heads", False, "largest difference 1e-2")))
    said = text_of(proof_table(proof))
    assert "NO" in said and "largest difference" in said and "kept quiet" not in said
    sample = Proven(5, (proof, proof), (Versions("p" * 64), Versions("q" * 64, ranker_version="r" * 64)))
    told = text_of(sample_table(sample))
    assert "0 of 2 drawn from 5" in told and "heads in 2" in told and "none, rrrrrrrrrrrr" in told

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.recorded_decisions import ranked_bundle, recorded

from loopwright.bundle import Interval, PolicyBundle, policy_version
from loopwright.domain.enums import DegradationReason, MutationKind, Purpose, Scheme, Stage
from loopwright.localmesh.verify import Verifier
from loopwright.modelstore import ModelStore
from loopwright.pipeline.record import DecisionRecord, input_digests
from loopwright.pipeline.types import Degradation, Mutation, Propensity

Change = Callable[[DecisionRecord], DecisionRecord]

SHORT = Degradation(Stage.DECIDE, DegradationReason.SHORT_SLATE)
SHAPES: dict[str, dict[str, Any]] = {
    "capped": {"constraints__creator_cap": 2},
    "explored": {"exploration__explore_position": 5, "constraints__creator_cap": 12},
    "free": {"constraints__creator_cap": 0, "constraints__topic_cap": 0, "diversity__mmr_lambda": 1.0},
    "alike": {"diversity__mmr_lambda": 0.2, "constraints__topic_cap": 6},
    "sliced": {"exploration__slice_rate": 1.0},
    "half sliced": {"exploration__slice_rate": 0.5, "constraints__creator_cap": 12},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("models"))


def verifier(store: ModelStore, bundle: PolicyBundle) -> Verifier:
    version = policy_version(bundle)
    return Verifier(store, {version: bundle}.get, lambda surface: (Interval(version, 0, None),))


def slate_only(record: DecisionRecord) -> DecisionRecord:
    slate = replace(record, candidates=None)
    return replace(slate, input_digests=input_digests(slate))


def made(store: ModelStore, bundle: PolicyBundle, number: int, n: int = 60, k: int = 20) -> DecisionRecord:
    purpose = Purpose.EVALUATE if number % 4 == 3 else Purpose.SERVE
    record, _ = recorded(store, bundle, number, n=n, k=k, purpose=purpose)
    notes = (SHORT,) if len(record.slate) < k else ()
    return slate_only(replace(record, degradations=notes))


@pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)
def test_slates_of_every_shape_hold_without_their_funnels(store: ModelStore, values: dict[str, Any]) -> None:
    bundle = ranked_bundle(store, **values)
    checker = verifier(store, bundle)
    for number in range(8):
        for n, k in ((60, 20), (12, 20), (24, 4), (3, 20)):  # of three candidates the user has seen all
            proof = checker.verify(made(store, bundle, number, n, k))
            assert proof.holds and not proof.full, proof.broken


def at(place: int, **changes: object) -> Change:
    def change(record: DecisionRecord) -> DecisionRecord:
        slate = list(record.slate)
        slate[place] = slate[place]._replace(**changes)  # type: ignore[arg-type]
        return replace(record, slate=tuple(slate))

    return change


def drawn(**changes: float) -> Change:
    return lambda r: replace(r, propensity=replace(r.propensity, **changes))  # type: ignore[arg-type]


def retold(change: Change) -> Change:
    """Return the change made by somebody who also rewrites the digests."""

    def changed(record: DecisionRecord) -> DecisionRecord:
        other = change(record)
        return replace(other, input_digests=input_digests(other))

    return changed


def first(count: int) -> Change:
    """Return the change that cuts the slate and its rows."""

    def change(record: DecisionRecord) -> DecisionRecord:
        rows = record.slate_candidates.take(np.arange(count, dtype=np.uint32))
        return replace(record, slate=record.slate[:count], slate_candidates=rows)

    return change


def swapped_with_rows(record: DecisionRecord) -> DecisionRecord:
    order = np.array([1, 0, *range(2, len(record.slate))], dtype=np.uint32)
    slate = tuple(record.slate[row]._replace(position=place + 1) for place, row in enumerate(order))
    return replace(record, slate=slate, slate_candidates=record.slate_candidates.take(order))


def barred_row(record: DecisionRecord) -> DecisionRecord:
    guards = record.slate_candidates.guards.copy()
    guards[3] = 1
    return replace(record, slate_candidates=replace(record.slate_candidates, guards=guards))


def other_note(**changes: object) -> Change:
    return lambda r: replace(r, mutations=(replace(r.mutations[0], **changes), *r.mutations[1:]))  # type: ignore[arg-type]


def one_item_everywhere(record: DecisionRecord) -> DecisionRecord:
    item, rows = record.slate[0].item_id, record.slate_candidates
    slate = tuple(place._replace(item_id=item) for place in record.slate)
    return replace(
        record, slate=slate, slate_candidates=replace(rows, item_ids=np.full(len(rows), item, rows.item_ids.dtype))
    )


CHANGES: list[tuple[str, str, Change]] = [
    ("capped", "slate", at(0, item_id=424242)),
    ("capped", "slate", lambda r: replace(r, slate=r.slate[:1])),
    ("capped", "length", retold(first(1))),
    ("capped", "propensity", retold(first(19))),
    ("capped", "length", lambda r: replace(r, degradations=(SHORT,))),
    ("capped", "drop_reasons", retold(barred_row)),
    ("capped", "mutations", lambda r: replace(r, mutations=())),
    ("capped", "mutations", other_note(from_rank=39)),
    ("capped", "mutations", other_note(kind=MutationKind.CAP_LIFTED)),
    ("free", "slate", retold(one_item_everywhere)),
    ("explored", "propensity", lambda r: replace(r, propensity=Propensity(0.5, 7, 1, 9))),
    ("explored", "propensity", drawn(rho=0.2)),
    ("explored", "propensity", drawn(s=6)),
    ("explored", "propensity", drawn(n=41)),
    ("explored", "propensity", drawn(n=2**31)),
    ("explored", "p_position", drawn(m=2)),
    ("explored", "p_shown", drawn(n=39)),
    ("explored", "scheme", at(4, scheme=Scheme.RANKED)),
    ("explored", "scheme", at(5, scheme=Scheme.EXPLORE)),
    ("explored", "p_position", at(4, p_position=1.0)),
    ("explored", "p_shown", at(4, p_shown=1.0)),
    ("explored", "support", at(19, propensity_error=0.5)),
    ("explored", "mutations", lambda r: replace(r, mutations=r.mutations[:-1])),
    ("explored", "mutations", lambda r: replace(r, mutations=(*r.mutations, Mutation(MutationKind.EXPLORE, 1, 1, 1)))),
    ("explored", "mutations", retold(swapped_with_rows)),
    ("free", "propensity", drawn(m=3)),
    ("free", "pre_swap_rank", at(0, pre_swap_rank=30)),
    ("free", "mutations", at(19, pre_swap_rank=38)),
    ("alike", "mutations", lambda r: replace(r, mutations=r.mutations[1:])),
    ("alike", "mutations", retold(swapped_with_rows)),
    ("sliced", "slate", retold(swapped_with_rows)),
    ("sliced", "scheme", at(0, scheme=Scheme.RANKED)),
    ("sliced", "p_position", at(0, p_position=0.5)),
    ("sliced", "p_shown", at(0, p_shown=0.25)),
    ("sliced", "pre_swap_rank", at(0, pre_swap_rank=41)),
    ("sliced", "mutations", lambda r: replace(r, mutations=r.mutations[1:])),
    ("sliced", "mutations", other_note(to_position=2)),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "link", "change"), CHANGES)
def test_one_changed_value_of_a_slate_without_its_funnel_is_found(
    store: ModelStore, shape: str, link: str, change: Change
) -> None:
    bundle = ranked_bundle(store, **SHAPES[shape])
    record = made(store, bundle, 5)
    assert verifier(store, bundle).verify(record).holds
    assert link in verifier(store, bundle).verify(change(record)).broken


def test_a_draw_of_the_slice_cannot_be_denied_or_claimed(store: ModelStore) -> None:
    bundle = ranked_bundle(store, **SHAPES["half sliced"])
    checker, seen = verifier(store, bundle), set()
    for number in (0, 1, 2, 4, 5, 6):
        record = made(store, bundle, number)
        sliced = record.slate[0].scheme is Scheme.SLICE
        seen.add(sliced)
        told = Scheme.RANKED if sliced else Scheme.SLICE
        changed = replace(record, slate=tuple(place._replace(scheme=told) for place in record.slate))
        assert "scheme" in checker.verify(changed).broken
    assert seen == {True, False}


def other_held_item(record: DecisionRecord) -> DecisionRecord:
    shown = {place.item_id for place in record.slate}
    place = next(i for i, n in enumerate(record.mutations) if not n.to_position and n.item_id not in shown)
    notes = list(record.mutations)
    notes[place] = replace(notes[place], item_id=424242)
    return replace(record, mutations=tuple(notes))


UNKNOWABLE: list[tuple[str, str, Change]] = [
    ("who was held back: no row of theirs is on record", "capped", other_held_item),
    ("how many were eligible: with no slice no propensity depends on it", "unsliced", drawn(n=39)),
]
"""Changes that no slate alone can show, and why."""


@pytest.mark.parametrize(("shape", "change"), [c[1:] for c in UNKNOWABLE], ids=[c[0] for c in UNKNOWABLE])
def test_what_only_the_funnel_could_tell_is_not_claimed_of_a_slate_alone(
    store: ModelStore, shape: str, change: Change
) -> None:
    shapes: dict[str, dict[str, Any]] = {
        **SHAPES,
        "unsliced": {"exploration__slice_rate": 0.0, "constraints__creator_cap": 12},
    }
    bundle = ranked_bundle(store, **shapes[shape])
    record, _ = recorded(store, bundle, 5)
    assert not verifier(store, bundle).verify(change(record)).holds
    proof = verifier(store, bundle).verify(change(slate_only(record)))
    assert proof.holds, proof.broken

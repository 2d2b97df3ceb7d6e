from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from tests.recorded_decisions import NOW_MS, ranked_bundle, recorded, recorded_fallback, synthetic_order

from loopwright.bundle import Interval, PolicyBundle, default_bundle, policy_version
from loopwright.domain.enums import DegradationReason, MutationKind, Purpose, Scheme, Stage
from loopwright.localmesh.verify import Verifier
from loopwright.modelstore import ModelStore
from loopwright.pipeline.plan import Plan
from loopwright.pipeline.record import DecisionRecord, input_digests
from loopwright.pipeline.types import Degradation

Change = Callable[[DecisionRecord], DecisionRecord]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def bundle(store: ModelStore) -> PolicyBundle:
    return ranked_bundle(store, constraints__creator_cap=2)


@pytest.fixture(scope="module")
def record(store: ModelStore, bundle: PolicyBundle) -> DecisionRecord:
    return recorded(store, bundle, 5)[0]


def verifier(store: ModelStore, *bundles: PolicyBundle) -> Verifier:
    known = {policy_version(bundle): bundle for bundle in bundles}
    return Verifier(store, known.get, lambda surface: tuple(Interval(version, 0, None) for version in known))


def slate_only(record: DecisionRecord) -> DecisionRecord:
    """Return the record as it is written when the funnel is not."""
    slate = replace(record, candidates=None)
    return replace(slate, input_digests=input_digests(slate))


def test_decisions_nobody_touched_hold_full_and_slate_only(store: ModelStore, bundle: PolicyBundle) -> None:
    checker = verifier(store, bundle)
    for number in range(12):
        full, _ = recorded(store, bundle, number)
        for record in (full, slate_only(full)):
            proof = checker.verify(record)
            assert proof.holds and proof.full is (record is full), proof.broken


def test_a_decision_of_the_randomised_slice_and_one_without_rankers_hold(store: ModelStore) -> None:
    sliced = ranked_bundle(store, exploration__slice_rate=1.0)
    for chosen in (sliced, default_bundle()):
        for purpose in (Purpose.SERVE, Purpose.EVALUATE):
            full, _ = recorded(store, chosen, 3, purpose=purpose)
            for record in (full, slate_only(full)):
                proof = verifier(store, chosen).verify(record)
                assert proof.holds, proof.broken


def bumped(array: np.ndarray, place: object, by: float = 0.25) -> np.ndarray:
    copy = array.copy()
    copy[place] += np.asarray(by, copy.dtype)
    return copy


def in_funnel(name: str, row: int, by: float = 0.25) -> Change:
    def change(record: DecisionRecord) -> DecisionRecord:
        part = "slate_candidates" if record.candidates is None else "candidates"
        table = getattr(record, part)
        array = getattr(table, name)
        place = row if array.ndim == 1 else (row, 0)
        return replace(record, **{part: replace(table, **{name: bumped(array, place, by)})})

    return change


def in_slate_rows(name: str) -> Change:
    def change(record: DecisionRecord) -> DecisionRecord:
        array = getattr(record.slate_candidates, name)
        changed = bumped(array, 0 if array.ndim == 1 else (0, 0))
        return replace(record, slate_candidates=replace(record.slate_candidates, **{name: changed}))

    return change


def in_position(**changes: object) -> Change:
    def change(record: DecisionRecord) -> DecisionRecord:
        first, *rest = record.slate
        return replace(record, slate=(first._replace(**changes), *rest))  # type: ignore[arg-type]

    return change


def swapped(record: DecisionRecord) -> DecisionRecord:
    a, b, *rest = record.slate
    return replace(record, slate=(b._replace(position=a.position), a._replace(position=b.position), *rest))


def in_mutations(record: DecisionRecord) -> DecisionRecord:
    first, *rest = record.mutations
    other = MutationKind.TOPIC_CAP if first.kind is not MutationKind.TOPIC_CAP else MutationKind.DIVERSITY
    return replace(record, mutations=(replace(first, kind=other), *rest))


def best_row(record: DecisionRecord) -> int:
    table = record.slate_candidates if record.candidates is None else record.candidates
    return int(np.argmax(table.utility))


CHANGES: list[tuple[str, str, Change]] = [
    ("a feature of an item", "item_features", in_funnel("item_columns", 4)),
    ("the age of a group", "item_features", in_funnel("group_ages_s", 4, 1)),
    ("a default mask", "item_features", in_funnel("group_mask", 4, 1)),
    (
        "a feature of the user",
        "user_features",
        lambda r: replace(r, user_columns=bumped(r.user_columns, 0)),
    ),
    ("a retrieval signal", "candidates", in_funnel("signals", 4)),
    ("a retrieval score", "candidates", in_funnel("fused_scores", 4)),
    ("the rank within a source", "candidates", in_funnel("source_ranks", 4, 1)),
    ("a pre-rank score", "pre_scores", in_funnel("pre_scores", 4)),
    ("a head score", "heads", lambda r: in_funnel("heads", best_row(r))(r)),
    ("a utility", "utility", lambda r: in_funnel("utility", best_row(r))(r)),
    ("a guard", "facts", in_funnel("guards", 8, 1)),
    ("a drop reason", "drop_reasons", lambda r: in_funnel("drop_reasons", best_row(r), 3)(r)),
    ("a score in the slate's own rows", "slate_candidates", in_slate_rows("heads")),
    ("the propensity of a position", "p_position", in_position(p_position=0.5)),
    ("the propensity of being shown", "p_shown", in_position(p_shown=0.5)),
    ("the scheme", "scheme", in_position(scheme=Scheme.SLICE)),
    ("the rank before mutations", "pre_swap_rank", in_position(pre_swap_rank=99)),
    ("the support bit", "support", in_position(support=False)),
    ("a position", "position", in_position(position=7)),
    ("the order of the slate", "slate", swapped),
    ("a mutation", "mutations", in_mutations),
    ("a lost mutation", "mutations", lambda r: replace(r, mutations=r.mutations[1:])),
    ("the explore pool", "propensity", lambda r: replace(r, propensity=replace(r.propensity, m=r.propensity.m + 1))),
    ("the seed", "seed", lambda r: replace(r, seed=r.seed + 1)),
    ("the policy version", "policy", lambda r: replace(r, versions=replace(r.versions, policy_version="f" * 64))),
    ("the ranker's version", "versions", lambda r: replace(r, versions=replace(r.versions, ranker_version="f" * 64))),
    ("the index epoch", "versions", lambda r: replace(r, versions=replace(r.versions, index_epoch="f" * 32))),
    ("the slate length asked for", "request", lambda r: replace(r, request=replace(r.request, k=10))),
    ("the time", "request", lambda r: replace(r, occurred_at_ms=r.occurred_at_ms + 1)),
]  # fmt: skip


@pytest.mark.parametrize(("link", "change"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_one_changed_value_breaks_the_proof_and_names_the_link(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord, link: str, change: Change
) -> None:
    proof = verifier(store, bundle).verify(change(record))
    assert not proof.holds
    assert link in proof.broken


SLATE_ONLY_LINKS = {"a score in the slate's own rows": "heads"}
"""Changes that another link than the full proof's names when the funnel is not on record; all others the same one."""


@pytest.mark.parametrize(("name", "link", "change"), CHANGES, ids=[c[0] for c in CHANGES])
def test_the_same_changes_break_the_proof_of_a_slate_without_its_funnel(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord, name: str, link: str, change: Change
) -> None:
    broken = verifier(store, bundle).verify(change(slate_only(record))).broken
    assert SLATE_ONLY_LINKS.get(name, link) in broken


def test_every_column_of_the_candidates_is_held_by_some_link(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord
) -> None:
    checker = verifier(store, bundle)
    for whole in (record, slate_only(record)):
        for column in fields(record.slate_candidates):
            changed = in_funnel(column.name, best_row(whole), 1)(whole)
            assert not checker.verify(changed).holds, column.name


def test_another_published_policy_named_in_the_record_breaks_the_proof(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord
) -> None:
    other = ranked_bundle(store, seed=9)
    changed = replace(record, versions=replace(record.versions, policy_version=policy_version(other)))
    assert {"versions", "pins"} <= set(verifier(store, bundle, other).verify(changed).broken)


def test_a_policy_that_was_not_active_at_the_time_breaks_the_proof(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord
) -> None:
    later = Verifier(
        store,
        {policy_version(bundle): bundle}.get,
        lambda surface: (Interval(policy_version(bundle), NOW_MS + 1_000, None),),
    )
    assert later.verify(record).broken == ("policy",)


def test_a_missing_model_is_a_broken_link_not_an_error(
    bundle: PolicyBundle, record: DecisionRecord, tmp_path: Path
) -> None:  # fmt: skip
    proof = verifier(ModelStore(tmp_path), bundle).verify(record)
    assert "models" in proof.broken


def test_candidates_that_allow_no_slate_are_a_broken_link_not_an_error(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord
) -> None:
    assert record.candidates is not None
    ids = record.candidates.item_ids.copy()
    ids[:] = ids[0]
    proof = verifier(store, bundle).verify(replace(record, candidates=replace(record.candidates, item_ids=ids)))
    assert "slate" in proof.broken


def fallback_verifier(bundle: PolicyBundle, store: ModelStore, known: bool = True) -> Verifier:
    version, order = policy_version(bundle), synthetic_order(bundle)
    orders = {order.epoch: order} if known else {}
    return Verifier(store, {version: bundle}.get, lambda surface: (Interval(version, 0, None),), orders)


def test_a_fallback_slate_holds_with_its_funnel_and_without(store: ModelStore, bundle: PolicyBundle) -> None:
    full, _ = recorded_fallback(bundle, synthetic_order(bundle), 4)
    for record in (full, slate_only(full)):
        proof = fallback_verifier(bundle, store).verify(record)
        assert proof.holds and proof.full is (record is full), proof.broken
        assert not [link for link in proof.links if link.skipped]
        gone = fallback_verifier(bundle, store, known=False).verify(record)
        assert gone.holds and [link.name for link in gone.links if link.skipped] == ["order"]


def retold(change: Change) -> Change:
    """Return the change made by somebody who also rewrites the digests."""

    def changed(record: DecisionRecord) -> DecisionRecord:
        other = change(record)
        return replace(other, input_digests=input_digests(other))

    return changed


def other_item(record: DecisionRecord) -> DecisionRecord:
    rows, first = record.slate_candidates, record.slate[0]
    ids = rows.item_ids.copy()
    ids[0] = 5
    slate = (first._replace(item_id=5), *record.slate[1:])
    return replace(record, candidates=None, slate=slate, slate_candidates=replace(rows, item_ids=ids))


def shorter(record: DecisionRecord) -> DecisionRecord:
    rows = record.slate_candidates.take(np.arange(len(record.slate) - 1, dtype=np.uint32))
    return replace(record, slate=record.slate[:-1], slate_candidates=rows)


@pytest.mark.parametrize(
    ("link", "change"),
    [
        ("slate", swapped),
        ("slate", shorter),
        ("slate", retold(in_funnel("guards", 3, 1))),
        ("slate", retold(in_funnel("eligibility", 3, 4))),
        ("order", retold(in_funnel("item_ids", 40, 1))),
        ("order", retold(in_funnel("creator_ids", 40, 1))),
        ("order", retold(in_funnel("source_ranks", 40, 1))),
        ("order", retold(other_item)),
        ("scheme", in_position(scheme=Scheme.RANKED)),
        ("p_shown", in_position(p_shown=0.5)),
        ("p_position", in_position(p_position=0.5)),
        ("support", in_position(support=True)),
        ("pre_swap_rank", in_position(pre_swap_rank=2)),
        ("drop_reasons", in_funnel("drop_reasons", 30, 1)),
        ("facts", in_funnel("guards", 40, 1)),
        ("candidates", in_funnel("fused_scores", 40)),
        ("slate_rows", in_slate_rows("fused_scores")),
    ],
)  # fmt: skip
def test_a_changed_fallback_slate_is_found(
    store: ModelStore, bundle: PolicyBundle, link: str, change: Change
) -> None:  # fmt: skip
    record, _ = recorded_fallback(bundle, synthetic_order(bundle), 4)
    assert link in fallback_verifier(bundle, store).verify(change(record)).broken


def test_a_stale_feed_excuses_a_version_that_was_active_before_and_no_other(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord
) -> None:
    version = policy_version(bundle)
    note = Degradation(Stage.RECOMMEND, DegradationReason.STALE_POLICY_FEED)
    said = replace(record, degradations=(note,))
    for span, holds in (((0, NOW_MS - 60_000), True), ((NOW_MS + 60_000, None), False)):
        checker = Verifier(store, {version: bundle}.get, lambda surface, span=span: (Interval(version, *span),))  # type: ignore[misc]
        assert ("policy" not in checker.verify(said).broken) is holds
        assert "policy" in checker.verify(record).broken


RANK_LOST = Degradation(Stage.RANK, DegradationReason.TIMEOUT)


def unscored(store: ModelStore, bundle: PolicyBundle, patch: pytest.MonkeyPatch, n: int = 60) -> DecisionRecord:
    """Return a decision in retrieval order under a bundle that pins rankers."""
    with patch.context() as patched:
        patched.setattr(Plan, "ranked", False)
        record, _ = recorded(store, bundle, 6, n=n)
    return retold(lambda r: replace(r, scored_position=bundle.ranking.position))(record)


def test_a_ranker_that_did_not_run_is_found_unless_its_loss_is_on_record(
    store: ModelStore, bundle: PolicyBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker = verifier(store, bundle)
    silent = unscored(store, bundle, monkeypatch)
    for record in (silent, slate_only(silent)):
        assert checker.verify(record).broken == ("scorer",)
        assert checker.verify(replace(record, degradations=(RANK_LOST,))).holds


def test_a_ranker_that_ran_although_it_was_lost_or_never_pinned_is_found(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord
) -> None:
    plain = default_bundle()
    pinned_none = replace(recorded(store, plain, 3)[0], head_names=record.head_names)
    for checked, chosen in ((replace(record, degradations=(RANK_LOST,)), bundle), (pinned_none, plain)):
        for whole in (checked, slate_only(checked)):
            assert "scorer" in verifier(store, chosen).verify(whole).broken


def test_nobody_scores_where_there_are_no_candidates(
    store: ModelStore, bundle: PolicyBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Degradation(Stage.DECIDE, DegradationReason.SHORT_SLATE)
    empty = replace(unscored(store, bundle, monkeypatch, n=0), degradations=(note,))
    for record in (empty, slate_only(empty)):
        proof = verifier(store, bundle).verify(record)
        assert proof.holds, proof.broken


def test_other_names_of_heads_and_another_scored_position_are_found(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord
) -> None:
    renamed = retold(lambda r: replace(r, head_names=r.head_names[::-1]))
    moved = retold(lambda r: replace(r, scored_position=r.scored_position + 1))
    for whole in (record, slate_only(record)):
        assert "head_names" in verifier(store, bundle).verify(renamed(whole)).broken
        assert "scored_position" in verifier(store, bundle).verify(moved(whole)).broken


@pytest.mark.parametrize(
    ("past", "future", "holds"),
    [
        ("", "", False),  # it was never active
        ("r", "", False),  # it is itself the active one
        ("ra", "", True),
        ("rba", "", False),  # another stood between
        ("raba", "", True),  # a rollback from b, for all that intervals tell: below a stood r
        ("a", "r", False),  # it came only later
    ],
)
def test_a_note_of_the_previous_policy_excuses_the_version_directly_before_and_no_other(
    store: ModelStore, bundle: PolicyBundle, record: DecisionRecord, past: str, future: str, holds: bool
) -> None:
    names = {"r": policy_version(bundle), "a": "a" * 64, "b": "b" * 64}
    starts = [NOW_MS - 60_000 * (len(past) - place) for place in range(len(past + future))]
    starts = [start + 60_000 * (start >= NOW_MS) for start in starts]
    told = tuple(
        Interval(names[name], start, end)
        for name, start, end in zip(past + future, starts, [*starts[1:], None], strict=False)
    )
    checker = Verifier(store, {policy_version(bundle): bundle}.get, lambda surface: told)
    note = Degradation(Stage.RECOMMEND, DegradationReason.PREVIOUS_POLICY, "a" * 12)
    assert ("policy" not in checker.verify(replace(record, degradations=(note,))).broken) is holds
    other = replace(note, subject="c" * 12)
    assert "policy" in checker.verify(replace(record, degradations=(other,))).broken

from dataclasses import replace

import numpy as np
import pytest
from tests.trainer_world import MINUTE_MS, RECIPE, START_MS, bundle, catalogue, collected, organic, rows, upsert

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.trainer.faults import NothingToLearn
from loopwright.trainer.fitting import Fitted, fit, widths_of
from loopwright.trainer.labels.evidence import Evidence
from loopwright.trainer.labels.exposures import Exposed

LATER_MS = START_MS + 100_000 * MINUTE_MS


def fitted(evidence: Evidence, seed: int = 1) -> Fitted:
    return fit(evidence, bundle(), RECIPE, seed)


def learned(found: Fitted) -> list[bytes]:
    weights = found.weights
    arrays = [weights.towers.history_table, weights.ranker.skip, weights.pre_ranker.skip, weights.ranker.slope]
    return [array.tobytes() for array in arrays]


def test_judging_rows_teach_nothing() -> None:
    items, taught = catalogue(15), rows(20, 15, 8)
    judging = [organic(user, 14, LATER_MS, True, rank=70) for user in range(20)]
    assert learned(fitted(collected(items, taught))) == learned(fitted(collected(items, taught, judging)))


def test_slate_rows_too_young_for_an_outcome_teach_nothing_and_are_counted() -> None:
    evidence = collected(catalogue(15), rows(20, 15, 8))
    user, item, signal = widths_of(bundle())
    ripe_ms = evidence.newest_ms - int(1000 * RECIPE.examples.maturity_s)
    slate = Exposed(
        bytes(16), np.zeros(user, np.float16), np.arange(3, dtype=np.uint64), np.zeros((3, item), np.float16),
        np.zeros((3, signal), np.float32), np.ones(3, np.float32), np.ones(3, np.float32),
        np.array([0, 1, 2], np.uint8), np.array([ripe_ms, ripe_ms + 1, ripe_ms + 1], np.int64),
    )  # fmt: skip
    found = fitted(replace(evidence, exposed=(slate,)))
    assert (found.metrics["slate_rows"], found.metrics["slate_rows_too_young"]) == (1, 2)
    assert found.metrics["slate_engaged"] == 0
    assert learned(found) == learned(fitted(replace(evidence, exposed=(slate.take(slate.seen_ms <= ripe_ms),))))


def test_the_same_rows_in_any_order_give_the_same_weights_and_another_seed_others() -> None:
    items, taught = catalogue(15), rows(20, 15, 8)
    one, two = fitted(collected(items, taught)), fitted(collected(items[::-1], taught[::-1]))
    assert learned(one) == learned(two)
    assert learned(one) != learned(fitted(collected(items, taught), seed=2))


@pytest.mark.parametrize(
    ("items", "taught"),
    [
        pytest.param(catalogue(4), rows(3, 4, 3), id="few users and items"),
        pytest.param(catalogue(12, tags=False), rows(15, 12, 6), id="no tags"),
        pytest.param(catalogue(1), [organic(0, 0, START_MS, True)], id="one user, one item, one row"),
        pytest.param(
            catalogue(10),
            [organic(u, i, START_MS + u * 100 + i, False, rank=i) for u in range(8) for i in range(6)],
            id="no likes",
        ),
        pytest.param(
            catalogue(5),
            [organic(u, k % 2, START_MS + k, True, rank=k) for u in range(5) for k in range(20)],
            id="the same items again and again",
        ),
        pytest.param(
            [upsert(i, published_ms=(-1) ** i * 10**12 + i) for i in range(8)], rows(10, 8, 5), id="far dates"
        ),
    ],
)
def test_odd_catalogues_give_finite_models(items: list[Event], taught: list[Event]) -> None:
    weights = fitted(collected(items, taught)).weights
    towers = weights.towers
    for array in (towers.history_table, towers.user_2, towers.id_table, towers.content_2):
        assert np.isfinite(array).all()
    for net in (weights.ranker, weights.pre_ranker):
        arrays = [
            net.standard.mean,
            net.standard.scale,
            net.skip,
            net.slope,
            net.bias,
            *(a for p in net.layers for a in p),
        ]
        assert all(np.isfinite(array).all() for array in arrays)


def test_an_empty_log_and_an_empty_catalogue_are_said_plainly() -> None:
    with pytest.raises(NothingToLearn, match="no engagement"):
        fitted(collected(catalogue(3), []))
    with pytest.raises(NothingToLearn, match="catalogue"):
        fitted(collected([], rows(4, 5, 3)))

from dataclasses import replace

import numpy as np
import pytest

from loopwright.trainer.dataset.examples import examples, matured, slate_decisions
from loopwright.trainer.labels.exposures import Exposed


def exposed(p_shown: list[float], seen_ms: int = 0, label: int = 0) -> Exposed:
    n = len(p_shown)
    return Exposed(
        bytes(16), np.zeros(2, np.float16), np.arange(n, dtype=np.uint64), np.zeros((n, 3), np.float16),
        np.zeros((n, 1), np.float32), np.arange(1, n + 1, dtype=np.float32), np.array(p_shown, np.float32),
        np.full(n, label, np.uint8), np.full(n, seen_ms, np.int64),
    )  # fmt: skip


def test_weights_are_inverse_propensities_clipped_and_normalised() -> None:
    found = slate_decisions([exposed([1.0, 0.5]), exposed([0.001])], clip=20.0)
    weights = np.concatenate([decision.weights for decision in found])
    mean = (1 + 2 + 20) / 3
    assert weights.tolist() == pytest.approx([1 / mean, 2 / mean, 20 / mean])
    assert weights.mean() == pytest.approx(1.0)
    assert all(decision.slate for decision in found)


def test_no_slates_give_no_decisions() -> None:
    assert slate_decisions([], clip=20.0) == []


def test_decisions_are_flattened_in_order() -> None:
    found = examples(slate_decisions([exposed([1.0] * 2), exposed([1.0] * 3)], clip=5.0), (2, 3, 1))
    assert found.starts.tolist() == [0, 2, 5]
    assert found.decisions.tolist() == [0, 0, 1, 1, 1]
    assert found.positions.tolist() == [1, 2, 1, 2, 3]
    assert found.user_columns.shape == (2, 2)


def test_nothing_has_the_widths_of_something() -> None:
    found = examples([], (2, 3, 1))
    assert len(found) == 0
    assert found.item_columns.shape == (0, 3)
    assert found.starts.tolist() == [0]


@pytest.mark.parametrize("label", [0, 2])
def test_rows_seen_just_before_the_windows_end_are_neither_positive_nor_negative(label: int) -> None:
    old, young = exposed([1.0] * 2, seen_ms=70_000, label=label), exposed([1.0], seen_ms=70_001, label=label)
    assert matured([old, young], 100_000, 30.0)[0].labels.tolist() == [label] * 2
    assert len(matured([old, young], 100_000, 30.0)) == 1


def test_rows_of_one_slate_ripen_one_by_one() -> None:
    slate = replace(exposed([0.5, 0.25, 1.0]), seen_ms=np.array([1, 90_000, 2], np.int64))
    (kept,) = matured([slate], 100_000, 30.0)
    assert kept.item_ids.tolist() == [0, 2]
    assert kept.p_shown.tolist() == [0.5, 1.0]
    assert kept.positions.tolist() == [1.0, 3.0]
    assert kept.item_columns.shape == (2, 3)

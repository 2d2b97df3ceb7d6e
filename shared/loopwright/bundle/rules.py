"""Rules between fields of a bundle, which no single field's bounds can state; `document.py` runs them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopwright.bundle.model import PolicyBundle
from loopwright.bundle.violations import violation
from loopwright.faults import FieldViolation

Rule = Callable[[PolicyBundle], Iterator[FieldViolation]]

_STAGES = ("hydrate_user", "retrieve", "hydrate_items", "rank", "decide", "record")


def _rankers_together(bundle: PolicyBundle) -> Iterator[FieldViolation]:
    if bool(bundle.models.pre_ranker) != bool(bundle.models.ranker):
        missing = "ranker" if bundle.models.pre_ranker else "pre_ranker"
        yield violation(
            f"models.{missing}", "rankers_together", "must be pinned too: pre_ranker and ranker go together"
        )


def _groups_once(bundle: PolicyBundle) -> Iterator[FieldViolation]:
    for name, groups in (("user", bundle.features.user), ("item", bundle.features.item)):
        for index, group in enumerate(groups):
            if group in groups[:index]:
                yield violation(f"features.{name}[{index}]", "unique", "must not be listed twice")


def _some_source(bundle: PolicyBundle) -> Iterator[FieldViolation]:
    if not bundle.retrieval.sources:
        yield violation("retrieval.sources", "not_empty", "must name at least one source")


def _some_weight(bundle: PolicyBundle) -> Iterator[FieldViolation]:
    if not any(bundle.objective.weights.values()):
        yield violation("objective.weights", "not_zero", "must give at least one head a weight other than 0")


def _cut_within_candidates(bundle: PolicyBundle) -> Iterator[FieldViolation]:
    if bundle.ranking.best_n > bundle.retrieval.max_candidates:
        yield violation("ranking.best_n", "cut", "must be at most retrieval.max_candidates")


def _stages_within_total(bundle: PolicyBundle) -> Iterator[FieldViolation]:
    for stage in _STAGES:
        if getattr(bundle.deadlines_ms, stage) > bundle.deadlines_ms.total:
            yield violation(f"deadlines_ms.{stage}", "within_total", "must be at most deadlines_ms.total")


RULES: tuple[Rule, ...] = (
    _rankers_together,
    _groups_once,
    _some_source,
    _some_weight,
    _cut_within_candidates,
    _stages_within_total,
)


def broken_rules(bundle: PolicyBundle) -> tuple[FieldViolation, ...]:
    """Return every broken rule of the bundle."""
    return tuple(found for rule in RULES for found in rule(bundle))

import pytest
from pydantic import ValidationError

from loopwright.bundle import default_bundle, with_values
from loopwright.domain.enums import PLANNED_SOURCES, Source
from loopwright.faults import BundleInvalid


def test_a_bundle_may_plan_every_source_of_the_registry_by_its_name_in_lower_case() -> None:
    rows = {source.name.lower(): {"quota": 5, "weight": 1.0, "budget_ms": 9} for source in PLANNED_SOURCES}
    bundle = with_values(default_bundle(), {"retrieval.sources": rows})
    assert [plan.source for plan in bundle.retrieval.plans()] == list(PLANNED_SOURCES)


def test_a_bundle_may_not_plan_the_fallback_order() -> None:
    row = {"quota": 5, "weight": 1.0, "budget_ms": 9}
    with pytest.raises(BundleInvalid, match="must be one of two_tower, co_visitation"):
        with_values(default_bundle(), {"retrieval.sources": {"fallback": row}})


def test_plans_come_in_the_order_of_source_numbers_and_leave_out_what_is_not_listed() -> None:
    row = {"quota": 5, "weight": 1.0, "budget_ms": 9}
    bundle = with_values(default_bundle(), {"retrieval.sources": {"popularity": row, "two_tower": row}})
    assert [(plan.source, plan.quota, plan.budget_ms) for plan in bundle.retrieval.plans()] == [
        (Source.TWO_TOWER, 5, 9),
        (Source.POPULARITY, 5, 9),
    ]


def test_a_bundle_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        default_bundle().ranking.best_n = 3  # type: ignore[misc]

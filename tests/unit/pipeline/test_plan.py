import pytest

from loopwright.bundle import default_bundle, policy_version
from loopwright.pipeline.fakes import FakeWorld
from loopwright.pipeline.plan import LONGEST_BUDGET_MS, Plan

from .test_runner import request, soon


@pytest.mark.parametrize(("scale", "longest"), [(0.001, 1), (1.0, 40), (10.0, 400), (100_000.0, LONGEST_BUDGET_MS)])
async def test_a_sources_budget_stretches_with_the_callers_deadline_within_what_retrieval_takes(
    scale: float, longest: int
) -> None:
    bundle = default_bundle()
    plan = Plan(policy_version(bundle), bundle, request(), 1_000_000, 42, scale)
    user = await FakeWorld().user_context(plan.user_query(), soon())
    assert max(source.budget_ms for source in plan.retrieval_query(user).sources) == longest

from tests.unit.policy.slate.conftest import bundle_of, falling, query_of

from loopwright.domain.enums import Exploration
from loopwright.policy.slate.constraints.randomised_slice import draw_slice, slice_rate


def test_judging_never_draws_a_slice() -> None:
    bundle = bundle_of(rho=0.25)
    assert slice_rate(bundle, query_of(falling(3))) == 0.25
    assert slice_rate(bundle, query_of(falling(3), exploration=Exploration.OFF)) == 0.0


def test_the_share_of_seeds_that_draw_is_the_rate() -> None:
    drawn = sum(draw_slice(seed, 0.1, 20, 5) is not None for seed in range(5000))
    assert 430 < drawn < 570  # 3.3 standard deviations


def test_a_rate_of_nothing_never_draws_and_of_one_always() -> None:
    assert all(draw_slice(seed, 0.0, 9, 3) is None for seed in range(100))
    assert all(draw_slice(seed, 1.0, 9, 3) is not None for seed in range(100))


def test_a_draw_has_no_entry_twice() -> None:
    for seed in range(100):
        drawn = draw_slice(seed, 1.0, 6, 6)
        assert drawn is not None
        assert sorted(drawn) == list(range(6))

import pytest
from tests.unit.policy.slate.conftest import bundle_of, query_of

from loopwright.domain.enums import DropReason, Eligibility, Guard
from loopwright.policy.slate.constraints.eligibility import eligibility


@pytest.mark.parametrize("guard", list(Guard))
def test_every_guard_bars_with_the_reason_of_its_name(guard: Guard) -> None:
    assert eligibility(bundle_of(), query_of([1.0], guards=[guard])).tolist() == [DropReason[str(guard.name)]]


@pytest.mark.parametrize("bit", list(Eligibility))
def test_every_eligibility_bit_bars_with_the_reason_of_its_name(bit: Eligibility) -> None:
    assert eligibility(bundle_of(), query_of([1.0], eligibility=[bit])).tolist() == [DropReason[str(bit.name)]]

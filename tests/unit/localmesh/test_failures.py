import pytest

from loopwright.faults import Fault
from loopwright.localmesh.failures import ArtefactRefused, ServerDidNotStart, ServerNotFound


@pytest.mark.parametrize("fault", [ArtefactRefused, ServerNotFound, ServerDidNotStart])
def test_every_failure_is_a_fault_with_a_reason_of_its_own(fault: type[Fault]) -> None:
    assert "Error" not in fault.__name__
    assert fault.reason == "".join(f"_{c}" if c.isupper() else c.upper() for c in fault.__name__).lstrip("_")

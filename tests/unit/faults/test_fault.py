from __future__ import annotations

import pytest

import loopwright.faults as faults
from loopwright.faults import Fault, FieldViolation, InvalidRequest, Kind, OutboxFull, Owner, RemoteFault

_ALL = [found for found in vars(faults).values() if isinstance(found, type) and issubclass(found, Fault)]
_CONCRETE = [found for found in _ALL if found not in (Fault, RemoteFault)]


@pytest.mark.parametrize("fault", _CONCRETE, ids=lambda f: f.__name__)
def test_every_fault_is_fully_described(fault: type[Fault]) -> None:
    assert isinstance(fault.kind, Kind) and isinstance(fault.owner, Owner)
    assert fault.reason == fault.reason.upper() and fault.reason.replace("_", "").isalnum()
    assert fault().message.endswith(".")


def test_reasons_are_unique() -> None:
    assert len({fault.reason for fault in _CONCRETE}) == len(_CONCRETE)


@pytest.mark.parametrize("fault", _CONCRETE, ids=lambda f: f.__name__)
def test_what_the_caller_has_to_mend_is_not_retryable(fault: type[Fault]) -> None:
    assert not (fault.retryable and fault.owner is Owner.CALLER)


def test_the_text_names_reason_field_and_rule() -> None:
    fault = InvalidRequest("k is too large", violations=[FieldViolation("k", "uint32.lte", "must be at most 500")])
    assert str(fault) == "INVALID_REQUEST: k is too large; k: must be at most 500 (uint32.lte)"


def test_a_wait_may_be_given_or_defaulted() -> None:
    assert OutboxFull().retry_after_s == 1.0
    assert OutboxFull(retry_after_s=3.0).retry_after_s == 3.0
    assert InvalidRequest().retry_after_s is None


def test_metadata_cannot_be_changed_afterwards() -> None:
    given = {"a": "b"}
    fault = InvalidRequest(metadata=given)
    given["a"] = "c"
    assert fault.metadata == {"a": "b"}
    with pytest.raises(TypeError):
        fault.metadata["a"] = "c"  # type: ignore[index]


def test_a_remote_fault_has_the_peers_kind_and_reason() -> None:
    fault = RemoteFault("gone", kind=Kind.NOT_FOUND, reason="DECISION_NOT_FOUND")
    assert (fault.kind, fault.reason, fault.owner) == (Kind.NOT_FOUND, "DECISION_NOT_FOUND", Owner.DEPENDENCY)
    assert RemoteFault.reason == "INTERNAL"

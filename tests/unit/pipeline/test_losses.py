import logging

import pytest

from loopwright.domain.enums import DegradationReason, Stage
from loopwright.faults import (
    BundleNotLoaded,
    CorruptRecord,
    DeadlineExceeded,
    Fault,
    FeatureStoreDown,
    Internal,
    Kind,
    Overloaded,
    RemoteFault,
)
from loopwright.pipeline.losses import StageDown, StageLate, loss_of, stage_fault, told_when


def remote(kind: Kind, reason: str = "", *, answered: bool = True) -> RemoteFault:
    return RemoteFault("told", kind=kind, reason=reason or kind.name, answered=answered)


@pytest.mark.parametrize("fault", [FeatureStoreDown(), Overloaded(), Internal(), CorruptRecord(), StageDown()])
def test_away_overloaded_and_broken_are_losses(fault: Fault) -> None:
    assert loss_of(Stage.DECIDE, fault, "x").reason is DegradationReason.UNAVAILABLE


def test_late_is_a_loss_of_its_own_reason() -> None:
    late = stage_fault(Stage.RETRIEVE, DeadlineExceeded())
    assert isinstance(late, StageLate)
    assert loss_of(Stage.RETRIEVE, late, "x").reason is DegradationReason.TIMEOUT


@pytest.mark.parametrize("kind", [Kind.INVALID_ARGUMENT, Kind.NOT_FOUND, Kind.FAILED_PRECONDITION, Kind.ABORTED])
def test_what_another_answer_would_hide_is_no_loss(kind: Kind) -> None:
    fault = remote(kind)
    with pytest.raises(RemoteFault) as caught:
        loss_of(Stage.RETRIEVE, stage_fault(Stage.RETRIEVE, fault), "x")
    assert caught.value is fault
    with pytest.raises(BundleNotLoaded):
        loss_of(Stage.RETRIEVE, BundleNotLoaded(), "x")


def test_a_missing_bundle_is_one_behind_a_call_too() -> None:
    told = stage_fault(Stage.RANK, remote(Kind.FAILED_PRECONDITION, BundleNotLoaded.reason))
    assert isinstance(told, BundleNotLoaded) and told.message == "told"


@pytest.mark.parametrize("kind", [Kind.ABORTED, Kind.INTERNAL])
def test_a_call_that_nobody_answered_was_cut_off(kind: Kind) -> None:
    assert isinstance(stage_fault(Stage.RANK, remote(kind, answered=False)), StageDown)
    answered = remote(kind)
    assert stage_fault(Stage.RANK, answered) is answered


def test_the_caller_is_told_when_to_come_back_once() -> None:
    told = told_when(remote(Kind.UNAVAILABLE))
    assert told.retryable and told.retry_after_s == 1.0
    assert told_when(RemoteFault("", kind=Kind.UNAVAILABLE, reason="X", retry_after_s=7.0)).retry_after_s == 7.0
    assert told_when(remote(Kind.INTERNAL)).retry_after_s is None


def test_a_broken_stage_is_an_error_in_the_log_and_a_lost_one_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    loss_of(Stage.RANK, Internal(), "retrieval order")
    loss_of(Stage.RANK, FeatureStoreDown(), "retrieval order")
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]

import numpy as np
import pytest
from tests.trainer_world import spec, subject

from loopwright.api.common.v1.decision_pb2 import Degradation
from loopwright.api.common.v1.tensor_pb2 import Tensor
from loopwright.api.events.v1.decision_pb2 import Candidates, RequestRecord, SlateDecided, SlatePosition
from loopwright.api.events.v1.feedback_pb2 import ActionTaken, ItemsViewed, ViewedItem
from loopwright.domain.enums import ActionKind, DegradationReason, Purpose, Stage
from loopwright.featurespec.groups import width
from loopwright.trainer.labels.exposures import Exposures

DECISION = b"d" * 16
ITEMS = (11, 12, 13)
SEEN_MS = 5000


def decided(purpose: Purpose = Purpose.SERVE, **changes: object) -> SlateDecided:
    served = spec()
    count = len(ITEMS)
    items = np.arange(count * width(served.item_groups), dtype=np.float16) % 7
    signals = np.arange(count * len(served.signals), dtype=np.float32)
    message = SlateDecided(
        decision_id=DECISION,
        request=RequestRecord(subject=subject(0), purpose=int(purpose)),  # type: ignore[arg-type]
        user_groups=served.user_groups,
        item_groups=served.item_groups,
        signal_names=served.signals,
        user_columns=Tensor(data=np.ones(width(served.user_groups), np.float16).tobytes()),
        slate=[SlatePosition(item_id=i, position=k + 1, p_shown=0.25 * (k + 1)) for k, i in enumerate(ITEMS)],
        slate_candidates=Candidates(item_columns=Tensor(data=items.tobytes()), signals=Tensor(data=signals.tobytes())),
    )
    for name, value in changes.items():
        message.ClearField(name)  # type: ignore[arg-type]
        getattr(message, name).extend(value)
    return message


def exposures(*seen: int) -> Exposures:
    found = Exposures(spec(), "home")
    items = [ViewedItem(item_id=item, seen=item in seen) for item in ITEMS]
    found.view(ItemsViewed(decision_id=DECISION, subject=subject(0), items=items), SEEN_MS)
    return found


def act(found: Exposures, item: int, kind: ActionKind, liked: bool = False, decision: bytes = DECISION) -> None:
    found.act(ActionTaken(decision_id=decision, subject=subject(0), item_id=item, kind=int(kind), liked=liked))


def test_only_rows_confirmed_as_seen_carry_a_label() -> None:
    found = exposures(11, 12)
    act(found, 12, ActionKind.CLICK)
    act(found, 13, ActionKind.CLICK)
    found.decide("home", decided())
    (row,) = found.rows
    assert row.item_ids.tolist() == [11, 12]
    assert row.labels.tolist() == [0, 1]
    assert row.positions.tolist() == [1.0, 2.0]
    assert row.p_shown.tolist() == [0.25, 0.5]
    assert found.skipped["rows not seen"] == 1


def test_a_like_after_a_click_says_satisfied_whatever_the_order() -> None:
    found = exposures(11)
    act(found, 11, ActionKind.LIKE)
    act(found, 11, ActionKind.CLICK)
    found.decide("home", decided())
    assert found.rows[0].labels.tolist() == [2]


def test_a_skip_and_an_action_on_another_decision_label_nothing() -> None:
    found = exposures(11, 12)
    act(found, 11, ActionKind.SKIP)
    act(found, 12, ActionKind.CLICK, decision=b"e" * 16)
    found.decide("home", decided())
    assert found.rows[0].labels.tolist() == [0, 0]


def test_a_row_is_seen_when_it_is_first_confirmed() -> None:
    found = exposures(11, 12)
    for at_ms in (SEEN_MS + 9, SEEN_MS - 9):
        again = ItemsViewed(decision_id=DECISION, subject=subject(0), items=[ViewedItem(item_id=12, seen=True)])
        found.view(again, at_ms)
    found.decide("home", decided())
    assert found.rows[0].seen_ms.tolist() == [SEEN_MS, SEEN_MS - 9]


def test_rows_hold_the_served_features_of_their_items() -> None:
    found = exposures(13)
    found.decide("home", decided())
    wide = width(spec().item_groups)
    wanted = (np.arange(3 * wide, dtype=np.float16) % 7).reshape(3, wide)[2]
    assert found.rows[0].item_columns.tolist() == [wanted.tolist()]
    assert found.rows[0].signals[0, 0] == 2 * len(spec().signals)


@pytest.mark.parametrize("purpose", [Purpose.EVALUATE, Purpose.SHADOW, Purpose.SIMULATE])
def test_only_slates_that_were_served_are_learned_from(purpose: Purpose) -> None:
    found = exposures(11)
    found.decide("home", decided(purpose))
    assert found.rows == []


@pytest.mark.parametrize("field", ["signal_names", "item_groups", "user_groups"])
def test_slates_served_with_other_features_are_skipped_and_counted(field: str) -> None:
    found = exposures(11)
    found.decide("home", decided(**{field: ["other"]}))
    assert found.rows == []
    assert found.skipped["served with other features"] == 1


def test_unseen_slates_and_other_surfaces_are_skipped_and_counted() -> None:
    found = exposures()
    found.decide("home", decided())
    found.decide("shop", decided())
    assert found.rows == []
    assert found.skipped == {"not confirmed as seen": 1, "other surface": 1}


@pytest.mark.parametrize(("stage", "learned"), [(Stage.DECIDE, False), (Stage.RETRIEVE, True)])
def test_a_fallback_slate_teaches_nothing_and_is_counted(stage: Stage, learned: bool) -> None:
    found = exposures(11)
    note = Degradation(stage=int(stage), reason=int(DegradationReason.FALLBACK), subject="0" * 12)  # type: ignore[arg-type]
    found.decide("home", decided(degradations=[note]))
    assert bool(found.rows) is learned
    assert found.skipped["fallback slate"] == (0 if learned else 1)

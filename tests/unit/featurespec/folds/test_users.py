import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.replay.synthetic import entries

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.featurespec.folds.users import UserFold, subject_of
from loopwright.featurespec.groups import USER_ACTIVITY, USER_HISTORY

EVENTS = [event for topic, _, event in entries(1200, users=1, items=60, seed=3) if topic.name != "catalog"]
UNERASED = [event for event in EVENTS if event.WhichOneof("payload") != "subject_erased"]


def folded(events: list[Event]) -> dict[str, bytes]:
    fold = UserFold()
    for event in events:
        fold.apply(event)
    return fold.encode()


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 900))
def test_any_order_of_events_gives_the_same_bytes(rng, start: int) -> None:  # type: ignore[no-untyped-def]
    events = UNERASED[start : start + 150]
    shuffled = list(events)
    rng.shuffle(shuffled)
    assert folded(shuffled) == folded(events)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(UNERASED)))
def test_a_row_read_back_from_its_bytes_goes_on_as_if_nothing_had_happened(cut: int) -> None:
    first = folded(UNERASED[:cut])
    fold = UserFold.decode(first[USER_HISTORY], first[USER_ACTIVITY])
    assert fold.encode() == first
    for event in UNERASED[cut:]:
        fold.apply(event)
    assert fold.encode() == folded(UNERASED)


def test_the_newest_512_actions_stay_whatever_the_order() -> None:
    actions = [e for e in UNERASED if e.WhichOneof("payload") in ("organic_interaction", "action_taken")]
    assert len(actions) > 600
    fold = UserFold()
    for event in reversed(actions):
        fold.apply(event)
    history = fold.state().history
    newest = sorted(actions, key=lambda e: (e.occurred_at.seconds, e.occurred_at.nanos, e.client_event_id))[-512:]
    expected = [getattr(e, e.WhichOneof("payload")).item_id for e in reversed(newest)]
    assert history.item_ids.tolist() == expected
    assert (np.diff(history.times_ms) <= 0).all()


def test_items_acted_on_are_kept_for_ever_with_the_first_time() -> None:
    state = UserFold.decode(*(folded(UNERASED)[group] for group in (USER_HISTORY, USER_ACTIVITY))).state()
    first: dict[int, int] = {}
    for event in UNERASED:
        payload = event.WhichOneof("payload")
        if payload in ("organic_interaction", "action_taken"):
            at = event.occurred_at.seconds * 1000 + event.occurred_at.nanos // 1_000_000
            item = getattr(event, payload).item_id
            first[item] = min(at, first.get(item, at))
    assert dict(zip(state.history.acted.tolist(), state.history.acted_ms.tolist(), strict=True)) == first
    assert (np.diff(state.history.acted.astype(object)) > 0).all()


def test_an_erased_user_leaves_nothing_and_gets_nothing() -> None:
    erased = Event(event_id=bytes(16))
    erased.subject_erased.subject = subject_of(UNERASED[0])
    alone = folded([erased])
    assert folded([*UNERASED[:50], erased, *UNERASED[50:100]]) == alone
    assert folded([erased, *UNERASED[:100]]) == alone
    state = UserFold.decode(alone[USER_HISTORY], alone[USER_ACTIVITY]).state()
    assert state.history.erased
    assert not len(state.history.acted)
    assert not state.activity.totals.any()


def test_events_of_items_have_no_subject() -> None:
    event = Event()
    event.item_withdrawn.item_id = 3
    assert subject_of(event) == b""

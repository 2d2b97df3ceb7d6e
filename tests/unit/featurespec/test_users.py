import numpy as np
import pytest
from tests.unit.featurespec.worlds import NOW_MS, world

from loopwright.domain.vectors import KIND_MASK, LIKED_FLAG
from loopwright.faults import CorruptRecord
from loopwright.featurespec.rings import DAY_MS
from loopwright.featurespec.users import EMPTY_USER, guards_of, history_of, read_user


def test_nothing_known_reads_as_the_empty_user() -> None:
    assert read_user(None, b"").history.locale == ""
    assert len(history_of(EMPTY_USER, NOW_MS).item_ids) == 0
    assert len(guards_of(EMPTY_USER, NOW_MS, 30.0).acted) == 0


def test_a_history_is_newest_first_flags_likes_and_ends_at_its_time() -> None:
    _, users = world()
    state = max(users, key=lambda user: len(user.history.item_ids))
    then = int(state.history.times_ms[3])
    history = history_of(state, then)
    assert history.item_ids.tolist() == state.history.item_ids[3:].tolist()
    assert history.ages_s[0] == 0
    assert ((history.kinds & LIKED_FLAG) != 0).tolist() == state.history.liked[3:].tolist()
    rated = (history.kinds & KIND_MASK) == 17
    assert set(history.values[~rated].tolist()) == {1.0}
    assert history.values[rated].max() > 1.0


def test_guards_leave_out_what_happened_later_and_views_that_are_too_old() -> None:
    _, users = world()
    state = max(users, key=lambda user: len(user.history.viewed))
    history = state.history
    everything = guards_of(state, NOW_MS, 3650.0)
    assert everything.acted.tolist() == history.acted.tolist()
    assert everything.viewed.tolist() == history.viewed.tolist()
    middle = int(np.median(history.acted_ms))
    assert 0 < len(guards_of(state, middle, 3650.0).acted) < len(history.acted)
    assert len(guards_of(state, NOW_MS, 0.5).viewed) == int((history.viewed_ms > NOW_MS - DAY_MS // 2).sum())


def test_broken_bytes_are_refused() -> None:
    for broken in (b"\x09", b"\x01", b"\x01\x00\x05"):
        with pytest.raises(CorruptRecord):
            read_user(broken, None)
        with pytest.raises(CorruptRecord):
            read_user(None, broken)

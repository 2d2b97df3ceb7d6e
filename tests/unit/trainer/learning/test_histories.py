import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.enums import ActionKind
from loopwright.domain.vectors import LIKED_FLAG, History
from loopwright.featurespec.history import engaged_items
from loopwright.trainer.labels.actions import Actions
from loopwright.trainer.learning.histories import histories

KINDS = (ActionKind.CLICK, ActionKind.RATE, ActionKind.HIDE, ActionKind.SKIP)
ACTION = st.tuples(st.integers(0, 2), st.integers(1, 5), st.sampled_from(KINDS), st.booleans())


def actions(drawn: list[tuple[int, int, ActionKind, bool]]) -> Actions:
    users, items, kinds, liked = (list(column) for column in zip(*drawn, strict=True)) if drawn else ([],) * 4
    n = len(drawn)
    return Actions(
        np.array(users, np.int64), np.array(items, np.uint64), np.array(kinds, np.uint8), np.array(liked, np.bool_),
        np.ones(n, np.float32), np.arange(n, dtype=np.int64), np.zeros(n, np.bool_), np.zeros(n, np.bool_),
    )  # fmt: skip


@given(st.lists(ACTION, max_size=25))
def test_a_history_is_what_serving_reads_turned_round(drawn: list[tuple[int, int, ActionKind, bool]]) -> None:
    found = histories(actions(drawn), 3)
    for user in range(3):
        mine = [row for row in drawn if row[0] == user][::-1]
        kinds = np.array([kind | (LIKED_FLAG if liked else 0) for _, _, kind, liked in mine], np.uint8)
        n = len(mine)
        served = engaged_items(
            History(np.array([item for _, item, _, _ in mine], np.uint64), kinds, np.ones(n, np.float32),
                    np.zeros(n, np.uint32))
        )  # fmt: skip
        rows = slice(found.starts[user], found.starts[user + 1])
        assert found.item_ids[rows][::-1].tolist() == served.item_ids.tolist()
        assert found.liked[rows][::-1].tolist() == served.liked.tolist()
        assert (found.users[rows] == user).all()

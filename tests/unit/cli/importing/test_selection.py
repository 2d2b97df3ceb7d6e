from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from loopwright.cli.importing.rows import ItemRow, RatingRow, Reject
from loopwright.cli.importing.selection import Selected, cut, item_times, select

KNOWN = {f"i{n}" for n in range(6)}


def rows_of(*entries: tuple[str, str, int]) -> list[RatingRow]:
    return [RatingRow(line, user, item, 3.0, time) for line, (user, item, time) in enumerate(entries, start=2)]


def chosen(rows: list[RatingRow], **options: float) -> list[tuple[str, str, str]]:
    return [(s.row.user_id, s.row.item_id, s.client_event_id) for s in select(rows, KNOWN, [], "f", **options)]


def test_rows_are_sent_in_time_order_with_their_rank_among_their_users_rows() -> None:
    rows = rows_of(("a", "i1", 30), ("b", "i2", 20), ("a", "i3", 10))
    assert chosen(rows) == [("a", "i3", "0000000000"), ("b", "i2", "0000000000"), ("a", "i1", "0000000001")]


def test_equal_times_keep_the_order_of_the_file() -> None:
    rows = rows_of(("a", "i1", 5), ("b", "i2", 5), ("a", "i3", 5), ("a", "i0", 5))
    assert chosen(rows) == [
        ("a", "i1", "0000000000"), ("b", "i2", "0000000000"), ("a", "i3", "0000000001"), ("a", "i0", "0000000002")
    ]  # fmt: skip


def test_a_row_of_an_unknown_item_is_rejected_and_still_counts_among_its_users_rows() -> None:
    rows = rows_of(("a", "nowhere", 1), ("a", "i1", 2))
    rejects: list[Reject] = []
    kept = select(rows, KNOWN, rejects, "ratings.csv")
    assert [s.client_event_id for s in kept] == ["0000000001"]
    assert [(r.file, r.line, r.field, r.reason.partition(":")[0]) for r in rejects] == [
        ("ratings.csv", 2, "item_id", "UNKNOWN_ITEM")
    ]


def test_the_cut_of_a_decimal_share_is_the_floor_that_a_person_expects() -> None:
    assert [cut(0.9, n) for n in (1, 9, 10, 30, 100)] == [0, 8, 9, 27, 90]
    assert cut(0.8, 5) == 4 and cut(1.0, 7) == 7 and cut(1.5, 7) == 7


entries = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(sorted(KNOWN)), st.integers(0, 5)), max_size=40
)  # fmt: skip


@given(entries, st.sampled_from([0.0, 0.3, 0.8, 0.9, 1.0]))
def test_the_first_share_is_each_users_earliest_rows_and_the_next_follows_without_gap_or_overlap(
    made: list[tuple[str, str, int]], share: float
) -> None:
    rows = rows_of(*made)
    first = select(rows, KNOWN, [], "f", first_share=share)
    rest = select(rows, KNOWN, [], "f", first_share=share, next_share=1.0 - share)
    of_user = Counter(user for user, _, _ in made)
    kept = Counter(s.row.user_id for s in first)
    assert all(kept[user] == cut(share, count) for user, count in of_user.items())
    assert sorted(s.row.line for s in [*first, *rest]) == [row.line for row in rows]
    ids = [(s.row.user_id, s.client_event_id) for s in [*first, *rest]]
    assert len(set(ids)) == len(ids)
    assert [s.row.time_ms for s in first] == sorted(s.row.time_ms for s in first)


@given(entries)
def test_rows_after_the_cut_change_nothing_before_it(made: list[tuple[str, str, int]]) -> None:
    doubled = [*made, *((user, item, 100 + time) for user, item, time in made)]
    assert chosen(rows_of(*made)) == chosen(rows_of(*doubled), first_share=0.5)


def test_an_item_becomes_known_at_its_first_interaction_else_at_the_end() -> None:
    items = [ItemRow(n, f"i{n}", "", (), "", None, "", "") for n in range(3)]
    sent = [Selected(row, "0") for row in rows_of(("a", "i1", 10), ("a", "i2", 20), ("b", "i1", 30))]
    assert item_times(items, sent) == {"i0": 30, "i1": 10, "i2": 20}
    assert item_times(items, []) == {}

from hypothesis import given
from hypothesis import strategies as st

from loopwright.cli.demo.population import NEXT_SHARE, PAST_SHARE, fraction, is_live, populate
from loopwright.cli.importing.rows import RatingRow
from loopwright.cli.importing.selection import select


def rows_of(user: str, times: list[int]) -> list[RatingRow]:
    return [RatingRow(n + 2, user, f"i{n}", float(n % 5 + 1), time * 1000) for n, time in enumerate(times)]


@given(st.lists(st.integers(0, 5), max_size=40))
def test_past_next_and_last_share_out_a_users_rows_as_the_importer_does(times: list[int]) -> None:
    rows = rows_of("ann", times)
    items = {row.item_id for row in rows}
    found = populate(rows)
    past = {s.row.item_id for s in select(rows, items, [], "f", first_share=PAST_SHARE)}
    following = {s.row.item_id for s in select(rows, items, [], "f", first_share=PAST_SHARE, next_share=NEXT_SHARE)}
    if rows:
        assert set(found.next_items["ann"]) == following
        assert set(found.last_items["ann"]) == items - past - following


def test_a_user_is_either_live_or_held_and_always_the_same() -> None:
    rows = [row for n in range(200) for row in rows_of(f"u{n}", [1, 2, 3])]
    found = populate(rows)
    assert set(found.live) | set(found.held) == {f"u{n}" for n in range(200)}
    assert not set(found.live) & set(found.held)
    assert 0.6 < len(found.live) / 200 < 0.8
    assert [is_live(user) for user in found.live] == [True] * len(found.live)
    assert set(found.tastes) == set(found.live)


def test_a_share_of_the_users_takes_part_whole_and_the_split_stays() -> None:
    rows = [row for n in range(400) for row in rows_of(f"u{n}", [1, 2, 3])]
    whole, part = populate(rows), populate(rows, 0.25)
    assert 60 < len(part.live) + len(part.held) < 140
    assert set(part.live) <= set(whole.live) and set(part.held) <= set(whole.held)
    assert len(part.rows) == 3 * (len(part.live) + len(part.held))


def test_held_rows_are_all_rows_of_held_users_in_file_order() -> None:
    rows = [row for n in range(20) for row in rows_of(f"u{n}", [3, 1, 2])]
    found = populate(rows)
    assert found.held_rows == [row for row in rows if row.user_id in found.held]


def test_only_likes_of_the_last_rows_judge() -> None:
    rows = [RatingRow(n + 2, "ann", f"i{n}", rating, n * 1000) for n, rating in enumerate([5.0] * 8 + [5.0, 4.0])]
    low = [RatingRow(n + 2, "bob", f"i{n}", rating, n * 1000) for n, rating in enumerate([5.0] * 9 + [3.0])]
    found = populate(rows + low)
    assert (found.judges("ann"), found.judges("bob")) == (frozenset({"i9"}), frozenset())


def test_two_labels_give_independent_fractions() -> None:
    both = sum(fraction("takes part", f"u{n}") < 0.5 and is_live(f"u{n}") for n in range(2000))
    assert abs(both / 2000 - 0.35) < 0.05

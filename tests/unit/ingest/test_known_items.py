from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.ids import item_id
from loopwright.ingest.known_items import KnownItems, Upserted, Withdrawn

NAMES = ["a", "b", "c"]
IDENTITIES = st.integers(0, 3).map(lambda n: bytes([n]) * 16)
WRITTEN = st.tuples(st.integers(0, 3), IDENTITIES)


def upserted(name: str, content: bytes, written: tuple[int, bytes]) -> Upserted:
    return Upserted(item_id(name), name, content, written)


# Two facts of one identity say the same: the content follows from it.
FACTS = st.one_of(
    st.builds(lambda name, w: upserted(name, w[1][:1], w), st.sampled_from(NAMES), WRITTEN),
    st.builds(lambda name, w: Withdrawn(item_id(name), w), st.sampled_from(NAMES), WRITTEN),
)


def folded(facts: list[Upserted | Withdrawn]) -> KnownItems:
    items = KnownItems()
    for fact in facts:
        items.apply(fact)
    return items


def seen(items: KnownItems) -> list[object]:
    probes = [(name, bytes([c]), at) for name in NAMES for c in range(4) for at in (None, 0, 1, 2, 3)]
    return [items.holds(*probe) for probe in probes] + [items.item_of(name) for name in NAMES] + [len(items)]


@given(st.data(), st.lists(FACTS, max_size=12))
def test_the_fold_knows_no_order_and_no_repetition(data: st.DataObject, facts: list[Upserted | Withdrawn]) -> None:
    shuffled = data.draw(st.permutations(facts + facts[:4]))
    assert seen(folded(shuffled)) == seen(folded(facts))


def test_an_unknown_item_has_no_id_and_a_withdrawn_one_stays_known() -> None:
    items = folded([upserted("a", b"1", (1, b"x")), Withdrawn(item_id("a"), (2, b"y"))])
    assert items.item_of("a") == item_id("a")
    assert items.item_of("b") is None


def test_an_older_upsert_that_comes_later_changes_nothing() -> None:
    items = folded([upserted("a", b"new", (5, b"x")), upserted("a", b"old", (4, b"y"))])
    assert items.holds("a", b"new", None)
    assert not items.holds("a", b"old", None)


def test_an_equal_item_that_is_true_later_is_news() -> None:
    items = folded([upserted("a", b"1", (5, b"x"))])
    assert items.holds("a", b"1", 5)
    assert not items.holds("a", b"1", 6)


def test_only_another_name_under_the_same_id_collides() -> None:
    items = folded([Upserted(item_id("b"), "a", b"", (1, b"x")), upserted("b", b"1", (2, b"y"))])
    assert items.collides("b")
    assert not items.collides("c")
    assert items.item_of("a") == item_id("b")
    assert items.item_of("b") is None

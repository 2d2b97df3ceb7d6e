from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loopwright.monitor.catalogue import Catalogue
from loopwright.monitor.facts import Listed, Unlisted

WRITTEN = st.tuples(st.integers(0, 3), st.integers(0, 3).map(lambda n: bytes([n])))
FACTS = st.one_of(
    st.builds(lambda item, w: Listed(item, w, w[1][0], None if w[0] % 2 else w[0] * 7), st.integers(1, 3), WRITTEN),
    st.builds(Unlisted, st.integers(1, 3), WRITTEN),
)


def seen(facts: list[Listed | Unlisted]) -> object:
    catalogue = Catalogue()
    for fact in facts:
        catalogue.apply(fact)
    return [catalogue.age_ms(item, 100) for item in (1, 2, 3)], catalogue.present()


@given(st.data(), st.lists(FACTS, max_size=10))
def test_the_fold_knows_no_order_and_no_repetition(data: st.DataObject, facts: list[Listed | Unlisted]) -> None:
    assert seen(data.draw(st.permutations(facts + facts[:3]))) == seen(facts)


def test_age_is_since_publication_else_since_the_first_upsert() -> None:
    catalogue = Catalogue()
    catalogue.apply(Listed(1, (50, b"a"), 0, None))
    catalogue.apply(Listed(1, (70, b"b"), 0, None))
    catalogue.apply(Listed(2, (50, b"a"), 0, -10))
    assert [catalogue.age_ms(item, 100) for item in (1, 2, 3)] == [50, 110, None]


def test_withdrawn_items_do_not_count() -> None:
    catalogue = Catalogue()
    for item, creator in ((1, 9), (2, 9), (3, 8), (4, 0)):
        catalogue.apply(Listed(item, (1, b"a"), creator, None))
    catalogue.apply(Unlisted(3, (2, b"b")))
    assert catalogue.present() == ({1, 2, 4}, {9})

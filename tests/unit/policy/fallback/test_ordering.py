import numpy as np
from tests.unit.policy.slate.conftest import bundle_of

from loopwright.bundle import policy_version
from loopwright.domain.ids import item_id
from loopwright.featurespec.facts import Counter
from loopwright.featurespec.item_content import UNKNOWN
from loopwright.featurespec.table import ItemTable
from loopwright.policy.fallback import Popular, ordered, popular


def table(engagements: list[int], likes: list[int]) -> ItemTable:
    """Items i0, i1, ...; whoever has a negative count is unknown to the catalogue."""
    made = ItemTable()
    for n, _ in enumerate(engagements):
        made.row_for(item_id(f"i{n}"))
    made.counts.totals[: len(engagements), Counter.ENGAGEMENTS] = np.maximum(engagements, 0)
    made.counts.totals[: len(likes), Counter.LIKES] = likes
    made.eligibility[:] = np.array([8 if n < 0 else 0 for n in engagements], np.uint8)
    return made


def items(count: int, creators: list[int] | None = None) -> Popular:
    return Popular(
        item_ids=np.arange(1, count + 1, dtype=np.uint64),
        creator_ids=np.array(creators or [0] * count, np.uint64),
        first_tag_ids=np.zeros(count, np.uint64),
        content=np.zeros((count, 16), np.float16),
        popularity=np.arange(count, 0, -1, dtype=np.float64),
        external_ids=tuple(f"i{n}" for n in range(count)),
    )


def test_the_most_engaged_and_liked_come_first_and_the_unknown_never() -> None:
    assert UNKNOWN  # the rows have no catalogue facts; only their eligibility is looked at
    found = popular(table([5, 1, -1, 9], [0, 7, 50, 0]))
    assert found.item_ids.tolist() == [item_id("i3"), item_id("i1"), item_id("i0")]
    assert found.popularity.tolist() == [9.0, 8.0, 5.0]


def test_only_so_many_are_taken_and_ties_go_to_the_lower_id() -> None:
    found = popular(table([3] * 10, [0] * 10), most=4)
    assert found.item_ids.tolist() == sorted(item_id(f"i{n}") for n in range(10))[:4]


def test_an_order_names_the_bundle_whose_caps_it_keeps() -> None:
    bundle = bundle_of(creator_cap=1)
    order = ordered(bundle, items(4, creators=[7, 7, 8, 8]))
    assert order.policy_version == policy_version(bundle)
    assert order.external_ids == ("i0", "i2", "i1", "i3")
    assert order.creator_ids.tolist() == [7, 8, 7, 8]


def test_equal_items_and_bundle_make_one_id_and_other_caps_another() -> None:
    loose, tight = bundle_of(creator_cap=0), bundle_of(creator_cap=1)
    many = items(6, creators=[1, 1, 1, 2, 2, 2])
    assert ordered(loose, many).order_id == ordered(loose, many).order_id != ordered(tight, many).order_id

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.eventlog import covers, missing, offsets_from_json, offsets_to_json
from loopwright.faults import InvalidRequest

vectors = st.dictionaries(
    st.tuples(st.sampled_from(["organic", "item_rows", "a/b"]), st.integers(0, 63)), st.integers(0, 10**12)
)


@given(vectors)
def test_offsets_survive_their_text(offsets: dict[tuple[str, int], int]) -> None:
    assert offsets_from_json(offsets_to_json(offsets)) == offsets


@given(vectors, vectors)
def test_offsets_are_covered_when_nothing_is_missing(
    folded: dict[tuple[str, int], int], ends: dict[tuple[str, int], int]
) -> None:
    assert covers(folded, ends) == (missing(folded, ends) == 0)
    assert covers(folded | ends, ends)


def test_an_untouched_partition_is_missing() -> None:
    assert missing({("organic", 0): 5}, {("organic", 0): 7, ("organic", 1): 3}) == 5


@pytest.mark.parametrize("text", ["", "[]", '{"organic":1}', '{"organic/0":-1}', '{"organic/x":1}', '{"o/0":"1"}', "1"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        offsets_from_json(text)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.domain.texts import ChosenTexts, texts_of

COLUMN = np.array([text.encode() for text in ("one", "", "zwei", "três")], dtype=np.object_)


@given(st.lists(st.text(max_size=6), max_size=8))
def test_packed_texts_are_the_texts_that_were_packed(texts: list[str]) -> None:
    packed = texts_of(text.encode() for text in texts)
    assert packed == tuple(texts) and list(packed) == texts
    assert packed[1:] == tuple(texts[1:]) and packed.packed() is packed


def test_chosen_texts_are_those_of_their_rows_and_row_minus_one_is_empty() -> None:
    chosen = ChosenTexts(COLUMN, np.array([3, -1, 0, 2, 2]))
    assert chosen == ("três", "", "one", "zwei", "zwei")
    assert chosen.packed() == chosen and chosen.packed().data == "trêsonezweizwei".encode()
    assert COLUMN[-1] == "três".encode()
    assert chosen[-1] == "zwei"
    with pytest.raises(IndexError):
        chosen[5]


def test_of_an_empty_column_all_texts_are_empty() -> None:
    chosen = ChosenTexts(COLUMN[:0], np.array([-1, -1]))
    assert chosen.packed() == chosen == ("", "")


def test_texts_differ_from_other_texts() -> None:
    assert texts_of([b"a", b"b"]) != ("a",)
    assert texts_of([b"a"]) != ("b",)

import numpy as np

from loopwright.featurespec.content_vector import sketch_of, unit, words_of


def test_a_content_vector_has_length_one_and_does_not_depend_on_the_order_of_tags() -> None:
    left, right = unit(sketch_of(["war", "noir", "drama"])), unit(sketch_of(["drama", "war", "noir"]))
    assert left.dtype == np.float32
    assert (left == right).all()
    assert abs(float((left.astype(float) ** 2).sum()) - 1.0) < 1e-6


def test_an_item_without_tags_has_no_direction() -> None:
    assert not unit(sketch_of([])).any()


def test_words_are_those_of_the_text_else_of_the_title() -> None:
    assert words_of("A Title", "") == ["title"]
    assert words_of("A Title", "Two boats, two seas") == ["boats", "seas", "two"]

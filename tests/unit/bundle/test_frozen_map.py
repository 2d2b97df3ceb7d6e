import pytest

from loopwright.bundle.frozen_map import FrozenMap


def test_it_iterates_by_key_whatever_order_it_was_given() -> None:
    assert list(FrozenMap({"b": 1, "a": 2})) == ["a", "b"]


def test_equal_contents_are_equal_and_hash_alike() -> None:
    one, other = FrozenMap({"a": 1, "b": 2}), FrozenMap({"b": 2, "a": 1})
    assert one == other
    assert hash(one) == hash(other)
    assert one != FrozenMap({"a": 1})


def test_it_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        FrozenMap({"a": 1})["a"] = 2  # type: ignore[index]


def test_later_changes_of_the_source_do_not_show() -> None:
    source = {"a": 1}
    frozen = FrozenMap(source)
    source["a"] = 2
    assert frozen["a"] == 1

from loopwright.eventlog.topics import CATALOG, ORGANIC
from loopwright.trainer.windows import judges, organic_ends, ranges


def test_ranges_and_back() -> None:
    starts, ends = {("organic", 0): 2, ("catalog", 0): 0}, {("organic", 1): 7, ("organic", 0): 5, ("catalog", 0): 3}
    found = ranges([CATALOG, ORGANIC], starts, ends)
    assert found[1] == {"topic": "organic", "partition": 0, "start": 2, "end": 5}
    assert organic_ends({"windows": found}) == {("organic", 0): 5, ("organic", 1): 7}
    assert organic_ends({}) == {}


def test_only_organic_rows_after_the_incumbents_window_judge() -> None:
    until = {("organic", 0): 5}
    assert not judges("organic", 0, 4, until)
    assert judges("organic", 0, 5, until)
    assert judges("organic", 1, 0, until)
    assert not judges("actions", 0, 9, until)
    assert not judges("organic", 0, 9, {})

from benchmarks.harness.rounds import Table
from benchmarks.harness.tables import Bound, bounds_table, latency_table


def test_a_bound_holds_up_to_its_number_and_a_least_one_from_it() -> None:
    ratios = (1.99, 2.0, 2.01)
    assert [Bound("", ratio, 2.0).holds for ratio in ratios] == [True, True, False]
    assert [Bound("", ratio, 2.0, least=True).holds for ratio in ratios] == [False, True, True]


def test_a_table_of_bounds_shows_what_does_not_hold() -> None:
    rows = bounds_table([Bound("hop", 1.2, 1.4), Bound("gain", 1.2, 1.5, least=True)]).splitlines()[2:]
    assert rows == ["| hop | 1.2 | ≤ 1.4 | yes |", "| gain | 1.2 | ≥ 1.5 | **no** |"]


def test_a_table_of_latencies_has_ratios_to_its_floor() -> None:
    table = Table({"floor": [[2.0]], "ours": [[3.0]]})
    assert latency_table(table, ["floor", "ours"], "floor").splitlines()[2:] == [
        "| floor | 2 | 2 | 1 |",
        "| ours | 3 | 3 | 1.5 |",
    ]

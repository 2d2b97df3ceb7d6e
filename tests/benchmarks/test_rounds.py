import asyncio

import pytest
from benchmarks.harness.rounds import Table, measure, quantile


def test_a_quantile_is_the_smallest_value_that_its_share_does_not_exceed() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [quantile(values, share) for share in (0.2, 0.5, 0.6, 0.61, 1.0)] == [1.0, 3.0, 3.0, 4.0, 5.0]


def test_p99_of_a_hundred_values_leaves_one_above_it() -> None:
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0


def test_a_figure_is_the_median_over_rounds_and_not_over_all_runs() -> None:
    table = Table({"arm": [[1.0, 1.0, 1.0, 1.0], [2.0], [9.0]]})
    assert table.p50("arm") == 2.0


def test_a_ratio_compares_each_round_with_its_own_floor() -> None:
    table = Table({"floor": [[1.0], [10.0], [100.0]], "arm": [[2.0], [30.0], [400.0]]})
    assert table.ratio("arm", "floor") == pytest.approx(3.0)


async def test_every_round_begins_with_another_arm_and_warm_up_runs_do_not_count() -> None:
    order: list[str] = []

    async def awaited() -> None:
        order.append("a")
        await asyncio.sleep(0)

    table = await measure({"a": awaited, "b": lambda: order.append("b")}, rounds=2, per_round=2, warm_up=1)
    assert "".join(order) == "ab" + "aabb" + "bbaa"
    assert {name: [len(one) for one in rounds] for name, rounds in table.rounds.items()} == {"a": [2, 2], "b": [2, 2]}


async def test_what_an_arm_awaits_is_within_its_time() -> None:
    table = await measure({"sleeps": lambda: asyncio.sleep(0.02)}, rounds=1, per_round=1, warm_up=0)
    assert table.p50("sleeps") >= 19.0

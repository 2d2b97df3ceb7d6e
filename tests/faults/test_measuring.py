from tests.faults.load import Pulse
from tests.faults.measuring import grown, parse, totals
from tests.faults.table import Row, Table, cells, document
from tests.faults.verdict import Verdict

PAGE = """# HELP loopwright_rpc_overruns_total handlers
# TYPE loopwright_rpc_overruns_total counter
loopwright_rpc_overruns_total{rpc_method="a/B"} 3.0
loopwright_rpc_overruns_created{rpc_method="a/B"} 1.7e+09
loopwright_outbox_depth 12.0 # {trace_id="00"} 1.0
loopwright_outbox_age NaN
"""


def test_a_metrics_page_is_read_by_name_and_labels() -> None:
    page = parse(PAGE)
    assert page['loopwright_rpc_overruns_total{rpc_method="a/B"}'] == 3.0
    assert totals({"x": page}, "loopwright_rpc_overruns_total") == {'x{rpc_method="a/B"}': 3.0}
    assert totals({"x": page, "y": page}, "loopwright_outbox_depth") == {"x": 12.0, "y": 12.0}


def test_a_counter_that_fell_was_begun_anew() -> None:
    assert grown({"a": 5.0, "b": 5.0, "c": 1.0}, {"a": 7.0, "b": 2.0, "c": 1.0, "d": 4.0}) == {"a": 2, "b": 2, "d": 4}


def beats(*asked: tuple[float, bool]) -> Pulse:
    pulse = Pulse(began_ms=0.0)
    for at_ms, good in asked:
        pulse.beat(at_ms, good)
    return pulse


def test_the_mesh_is_well_once_answers_were_good_for_long_enough() -> None:
    steady = [(float(at), True) for at in range(100, 2200, 100)]
    assert beats(*steady).well_since(0.0, 2_000, 15) == 100
    assert beats(*steady[:-1]).well_since(1.0, 2_000, 15) is None
    assert beats(*steady).well_since(500.0, 2_000, 15) is None
    assert beats(*steady, (2_300.0, True), (2_500.0, True), (2_600.0, True)).well_since(500.0, 2_000, 15) == 600
    assert beats(*steady).well_since(101.0, 2_000, 15) is None
    assert beats(*steady).well_since(0.0, 2_000, 40) is None


def test_one_answer_in_ten_may_be_bad_wherever_it_comes_in() -> None:
    good = [(float(at), True) for at in range(100, 2200, 100)]
    assert beats(*good, (300.0, False), (400.0, False)).well_since(0.0, 2_000, 15) == 100
    assert beats(*good, *((float(at), False) for at in (300, 400, 500))).well_since(0.0, 2_000, 15) is None


def test_a_row_tells_outcomes_and_offenders() -> None:
    verdict = Verdict(lost=["a", "b"], raw_duplicates=3)
    verdict.calls.update({"recommend ok": 7, "actions ok": 2, "recommend unknown": 1})
    verdict.refusals["recommend UNAVAILABLE LOG_UNAVAILABLE"] += 1
    row = Row("kafka killed", verdict, None, 1.5, 2.0)
    told = cells(row)
    assert told[:7] == ("kafka killed", "10", "9", "0", "recommend UNAVAILABLE LOG_UNAVAILABLE 1", "2", "3")
    assert "never" in told
    text = document(Table([row], ["one more thing"]))
    assert text.count("\n| kafka killed") == 1 and text.endswith("- one more thing")

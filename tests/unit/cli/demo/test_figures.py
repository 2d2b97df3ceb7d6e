from typing import Any

import pytest
from rich.console import Console

from loopwright.cli.demo.figures import final_table


@pytest.fixture
def facts() -> dict[str, Any]:
    mean = {"ndcg_at_10": 0.1234, "standard_error": 0.0123, "users": 260}
    return {
        "quality": {"before": {**mean, "degraded_users": 2}, "after": {**mean, "ndcg_at_10": 0.13}, "difference": mean},
        "retraining": {"gate": {"verdict": "PASSED", "reasons": ["not worse"]}},
        "proofs": {"proven": 199, "sampled": 200},
        "decisions": {
            "undegraded_share": 0.9875,
            "degradations": {"HYDRATE_USER TIMEOUT": 25},
            "stages_ms": {"retrieve": {"p50": 4.0, "p99": 12.5}},
            "non_default_share": {"item_creator.v1": 0.0, "item_counts.v1": 1.0},
            "sources": {"fresh": {"positions_share": 0.014, "proposed_per_request": 50.0}},
        },
        "traffic": {"answered": 2000, "visits": 2000, "repeated_calls": 0, "latencies_ms": [10.0, 20.0, 30.0]},
        "schemes": {"EXPLORE": 0.05},
        "accounting": {"positions": 40000, "seen": 17000},
        "accounting_agrees": True,
        "events": {"decisions": 2566, "late": 0},
    }


def text_of(facts: dict[str, Any]) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(final_table(facts, {"start the mesh": 20.0, "import the past": 10.5}))
    return captured.get()


def test_the_table_tells_all_that_was_promised(facts: dict[str, Any]) -> None:
    said = text_of(facts)
    for wanted in (
        "0.1234 ± 0.0123 (260 held users, 2 left out as degraded)", "0.1300 ± 0.0123", "+0.1234 ± 0.0123",
        "PASSED; not worse", "199 of 200", "4.0 / 12.5 ms", "20.0 / 29.8 ms", "98.75%", "HYDRATE_USER TIMEOUT",
        "25 decisions", "explore 5.0%",
        "credited for 1.4%, 50 proposed", "positions 40000", "decisions 2566", "20.0", "30.5",
    ):  # fmt: skip
        assert wanted in said, wanted
    assert "late 0" not in said


def test_a_refusal_leaves_the_incumbents_figure(facts: dict[str, Any]) -> None:
    facts["quality"] |= {"after": None, "difference": None}
    assert "the incumbent stays" in text_of(facts)


def test_figures_over_too_few_users_are_not_told(facts: dict[str, Any]) -> None:
    facts["quality"]["before"] = {"ndcg_at_10": None, "standard_error": None, "users": 0}
    assert "too few users (0)" in text_of(facts)


def test_an_account_that_disagrees_stands_out(facts: dict[str, Any]) -> None:
    assert "NO" in text_of({**facts, "accounting_agrees": False})

"""The demo's one final table, from its report's facts; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from loopwright.cli.demo.tally import quantiles

Row = tuple[str, str]


def final_table(facts: Mapping[str, Any], seconds: Mapping[str, float]) -> Table:
    """Return the table: quality, stages, events, accounting, degradations, features, sources, seconds."""
    table = Table(title="loopwright demo", title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_column(overflow="fold")
    for name, rows in (
        ("quality", _quality(facts)),
        ("stages (p50 / p99)", _stages(facts)),
        ("answers", _answers(facts)),
        ("slate positions by source", _sources(facts)),
        ("non-default cells", _features(facts)),
        ("impressions", _accounting(facts)),
        ("events on the log", _events(facts)),
        ("seconds", _seconds(seconds)),
    ):
        for place, (what, value) in enumerate(rows):
            table.add_row("" if place else name, what, value)
        table.add_section()
    return table


def _quality(facts: Mapping[str, Any]) -> Iterator[Row]:
    found = facts["quality"]
    yield "NDCG@10 before retraining", _mean(found["before"])
    if found["after"] is None:
        yield "NDCG@10 after", "the gate refused the retrained models: the incumbent stays"
    else:
        yield "NDCG@10 after", _mean(found["after"])
        yield "paired difference", _mean(found["difference"], sign="+")
    yield "gate", f"{facts['retraining']['gate']['verdict']}; {'; '.join(facts['retraining']['gate']['reasons'])}"
    proofs = facts["proofs"]
    yield "proofs", f"{proofs['proven']} of {proofs['sampled']} random full decisions hold"


def _mean(found: Mapping[str, Any], sign: str = "") -> str:
    if found["ndcg_at_10"] is None or found["standard_error"] is None:
        return f"too few users ({found['users']})"
    degraded = f", {found['degraded_users']} left out as degraded" if found.get("degraded_users") else ""
    return f"{found['ndcg_at_10']:{sign}.4f} ± {found['standard_error']:.4f} ({found['users']} held users{degraded})"


def _stages(facts: Mapping[str, Any]) -> Iterator[Row]:
    for stage, times in facts["decisions"]["stages_ms"].items():
        yield stage, f"{times['p50']:.1f} / {times['p99']:.1f} ms"
    latencies = facts["traffic"]["latencies_ms"]
    if latencies:
        times = quantiles(latencies)
        yield "end to end, as clients saw it", f"{times['p50']:.1f} / {times['p99']:.1f} ms"


def _answers(facts: Mapping[str, Any]) -> Iterator[Row]:
    traffic, decisions = facts["traffic"], facts["decisions"]
    yield (
        "answered",
        f"{traffic['answered']} of {traffic['visits']} requests, {traffic['repeated_calls']} calls repeated",
    )
    yield "with no degradation", f"{decisions['undegraded_share']:.2%}"
    for reason, count in decisions["degradations"].items():
        yield reason, f"{count} decisions"
    schemes = ", ".join(f"{name.lower()} {share:.1%}" for name, share in facts["schemes"].items())
    yield "positions by scheme", schemes


def _sources(facts: Mapping[str, Any]) -> Iterator[Row]:
    for name, source in facts["decisions"]["sources"].items():
        proposed = f"{source['proposed_per_request']:.0f} proposed a request"
        yield name, f"credited for {source['positions_share']:.1%}, {proposed}"


def _features(facts: Mapping[str, Any]) -> Iterator[Row]:
    for name, share in facts["decisions"]["non_default_share"].items():
        yield name, f"{share:.1%}"


def _accounting(facts: Mapping[str, Any]) -> Iterator[Row]:
    yield "accounted for", ", ".join(f"{state} {count}" for state, count in facts["accounting"].items())
    yield "as the clients sent it", "yes" if facts["accounting_agrees"] else "NO"


def _events(facts: Mapping[str, Any]) -> Iterator[Row]:
    yield "by topic", ", ".join(f"{topic} {count}" for topic, count in facts["events"].items() if count)


def _seconds(seconds: Mapping[str, float]) -> Iterator[Row]:
    for step, taken in seconds.items():
        yield step, f"{taken:.1f}"
    yield "all", f"{sum(seconds.values()):.1f}"

"""The section of RESULTS.md: bounds, parts, stages, load and costs as tables, and what to know to read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.harness.rounds import Table, quantile
from benchmarks.harness.tables import Bound, bounds_table, latency_table, markdown
from benchmarks.serving.asking import GRANTED_S, GRANTED_UNDER_LOAD_S
from benchmarks.serving.bundles import LARGE, SMALL, Size
from benchmarks.serving.costs import Costs
from benchmarks.serving.latency import FLOOR_1, FLOOR_2, HOPS, MESH, ONE_PROCESS, Latencies
from benchmarks.serving.loading import WITHIN_MS, Load

_OF_FLOOR_1, _OF_FLOOR_2 = "MGET", "gather"
_METHODS = {
    "hydrate_user": "HydrationService/GetUserContext",
    "retrieve": "RetrievalService/Retrieve",
    "hydrate_items": "HydrationService/GetItemColumns",
    "rank": "RankingService/Score",
    "decide": "SlateService/DecideSlate",
    "record": "LedgerService/RecordDecision",
}
_WHOLE = "RecommenderService/Recommend"

NOTES = """
World: {items:,} items and their users entered through `ingest`. Floors and product run the same nets (the committed
files below `benchmarks/serving/nets`), search the same vectors and append to the same broker. The floors call nothing
of ours: hnswlib with ef = k, redis-py with hiredis, ONNX Runtime on one thread, numpy, aiokafka. The product does what
it always does: validation, deadlines, spans, metrics, freshness flags, mutations, propensities, tokens, the durable
log, and 1 % of the funnels. What differs: the nets read 25 item and 15 user columns (`item_content.v1`,
`item_creator.v1`, `user_activity.v1`), the groups nearest to 24 and 16; diversity works on 16 numbers an item in the
product, on 64 in the floor; with 500 candidates all pass the cut. The composition's log is in memory, floor 2 sends to
a broker. Callers grant {granted:g} s, under load {patient:g} s.
"""

AWAKE = """
Each of a request's seven calls wakes several threads, mostly on a CPU that went to sleep meanwhile, and a virtual
machine's CPU wakes slowly. Here a loop of the lowest scheduling class, which gives way to everything else, keeps every
CPU awake: the difference to the table above is no work of anybody.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that one run found."""

    meshed: Latencies
    composed: Latencies
    costs: Costs
    load: Load


def section(found: Measured, items: int) -> str:
    """Return the section's markdown; `items` is the size of the catalogue."""
    return "\n\n".join(
        [
            bounds_table(_bounds(found)),
            NOTES.strip().format(items=items, granted=GRANTED_S, patient=GRANTED_UNDER_LOAD_S),
            "### One request at a time, whole mesh",
            _tables(found.meshed.tables, HOPS, MESH),
            f"Of {found.meshed.asked:,} requests of the mesh, {_told(found.meshed.degraded)}.",
            _sums(found),
            "### The same with CPUs that do not sleep",
            _tables(found.meshed.awake, HOPS, MESH),
            AWAKE.strip(),
            "### One request at a time, one process over a log in memory",
            _tables(found.composed.tables, ONE_PROCESS),
            f"Of {found.composed.asked:,} requests of the composition, {_told(found.composed.degraded)}.",
            "### The parts, each alone",
            *(_parts(found.meshed, size) for size in found.meshed.tables),
            "### Where a request's time goes",
            _stages(found),
            "### Under load",
            _load(found.load),
            "### What a decision costs, one at a time",
            _costs(found.costs),
        ]
    )


def _bounds(found: Measured) -> list[Bound]:
    large, small = found.meshed.tables[LARGE], found.meshed.tables[SMALL]
    return [
        Bound(f"{LARGE.title}, p50 / floor 1", large.ratio(MESH, FLOOR_1), 2.0),
        Bound(f"{LARGE.title}, p50 / floor 2", large.ratio(MESH, FLOOR_2), 3.0),
        Bound(f"{LARGE.title}, p99 / p50", large.p99(MESH) / large.p50(MESH), 2.5),
        Bound(f"{SMALL.title}, p50 / its floor 1", small.ratio(MESH, FLOOR_1), 3.5),
        Bound(f"{LARGE.title}, one process / floor 2", found.composed.tables[LARGE].ratio(ONE_PROCESS, FLOOR_2), 1.3),
        Bound("throughput, 8 in flight / 1 in flight", found.load.gain, 1.5, least=True),
    ]


def _tables(tables: Mapping[Size, Table], *products: str) -> str:
    parts = []
    for size, table in tables.items():
        rows = latency_table(table, [FLOOR_1, FLOOR_2, *products], FLOOR_1)
        parts.append(f"{size.title}:\n\n{rows}")
    return "\n\n".join(parts)


def _parts(found: Latencies, size: Size) -> str:
    table, names = found.tables[size], found.parts[size]
    rows: list[Sequence[object]] = [(name, table.p50(name), table.p99(name)) for name in names]
    for floor, other in ((FLOOR_1, _OF_FLOOR_2), (FLOOR_2, _OF_FLOOR_1)):
        total = sum(table.p50(name) for name in names if not name.startswith(other))
        rows.append((f"sum for {floor.partition(':')[0]}", total, ""))
    return f"{size.title}:\n\n" + markdown(["", "p50 ms", "p99 ms"], rows)


def _sums(found: Measured) -> str:
    """Return what the parts of a request through a mesh of this shape sum to, beside what it takes."""
    rows: list[Sequence[object]] = []
    for size, table in found.meshed.tables.items():
        floor, hops, mesh = (table.p50(arm) for arm in (FLOOR_1, HOPS, MESH))
        rows.append((size.title, floor, hops, (floor + hops) / floor, mesh / (floor + hops)))
    head = ["", "floor 1, p50 ms", "its calls bare, p50 ms", "both / floor 1", "Recommend / both"]
    told = (
        "The calls bare are seven bare grpc.aio calls with a request's bytes, the front door's and its six to five "
        "leaves, each a process of its own: what a mesh of this shape pays beside the floor before it does anything."
    )
    return markdown(head, rows) + "\n\n" + told


def _stages(found: Measured) -> str:
    stages, mean = found.meshed.stages, found.costs.mean_ms
    head = ["stage"]
    for size in stages:
        head += [f"{size.title}, p50 ms", "p99 ms"]
    head += [f"{LARGE.title}, mean ms", "of it within the leaf", "the hop"]
    rows: list[list[object]] = []
    hops = inside = 0.0
    for stage, method in _METHODS.items():
        row: list[object] = [stage.replace("_", " ")]
        for timed in stages.values():
            row += _quantiles(timed, stage)
        within = next((ms for name, ms in mean.items() if name.endswith(method)), 0.0)
        hops, inside = hops + mean[stage] - within, inside + within
        rows.append([*row, mean[stage], within, mean[stage] - within])
    blank: list[object] = [""] * (2 * len(stages))
    total = sum(mean[stage] for stage in _METHODS)
    rows.append(["sum of the stages", *blank, total, inside, hops])
    whole = next(ms for name, ms in mean.items() if name.endswith(_WHOLE))
    rows.append(["whole request within the front door", *blank, whole, "", ""])
    told = (
        "p50 and p99 as on record (a record cannot hold how long its own append took), means from the metrics of "
        "another stretch. The hop is what a stage takes at the front door beyond its leaf's own server."
    )
    return markdown(head, rows) + "\n\n" + told


def _quantiles(timed: Mapping[str, list[float]], stage: str) -> list[object]:
    return [quantile(timed[stage], share) for share in (0.5, 0.99)] if stage in timed else ["", ""]


def _load(load: Load) -> str:
    levels = [(str(one.in_flight), one.per_s, one.p50_ms, one.p99_ms, f"{one.other_share:.1%}") for one in load.levels]
    rates = [
        (f"{one.per_s:.1f}/s", one.p99_ms, f"{one.other_share:.1%}", "yes" if one.holds else "no") for one in load.rates
    ]
    held = [one.per_s for one in load.rates if one.holds]
    highest = f"{max(held):.1f}/s" if held else "none of those tried"
    return "\n\n".join(
        [
            markdown(["in flight", "answers/s", "p50 ms", "p99 ms", "refused or degraded"], levels),
            f"Of all levels' requests, {_told(load.others)}.",
            f"Highest fixed rate with p99 within {WITHIN_MS:.0f} ms and 99 % of the answers whole: {highest}.",
            markdown(["fixed rate", "p99 ms", "refused or degraded", "holds"], rates),
        ]
    )


def _told(others: Counter[str]) -> str:
    if not others:
        return "all were answered whole"
    counted = ", ".join(f"{name} {count}" for name, count in others.most_common(6))
    return f"answered degraded or refused: {others.total():,} ({counted})"


def _costs(costs: Costs) -> str:
    decision = costs.decision
    rows: list[Sequence[object]] = [
        (name, ms, f"{decision.idle_share[name]:.1%}") for name, ms in decision.cpu_ms.items()
    ]
    rows.append(("sum", sum(decision.cpu_ms.values()), f"{sum(decision.idle_share.values()):.1%}"))
    logged = [(topic, size) for topic, size in decision.log_bytes.items() if size >= 1]
    return "\n\n".join(
        [
            markdown(["process", "CPU ms a decision", "of a CPU while idle"], rows),
            "A decision's CPU time is that above the idle mesh's.",
            markdown(
                ["bytes a decision", ""],
                [
                    ("on the loopback interface, headers included", round(decision.wire_bytes)),
                    *((f"in the log, topic `{topic}`", round(size)) for topic, size in sorted(logged)),
                ],
            ),
        ]
    )

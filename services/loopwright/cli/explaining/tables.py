"""An explained decision as tables for a terminal, one a stage, in the order of the request path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.table import Table

from loopwright.cli.clients import Explained
from loopwright.cli.explaining.reading import (
    GroupValues,
    credits_of,
    cut_count,
    drops_of,
    item_features,
    names_of,
    scores_of,
    table_of,
    user_features,
)
from loopwright.localmesh.proofs import Proven
from loopwright.localmesh.verify import Proof
from loopwright.pipeline.record import DecisionRecord


def funnel_tables(explained: Explained, *, all_columns: bool = False) -> Iterator[RenderableType]:
    """Yield the tables of a decision.

    Args:
        explained: The decision.
        all_columns: Every feature column by name, instead of one cell a group.
    """
    record, names = explained.record, names_of(explained)
    yield _facts("request", _request_rows(record))
    yield _facts("versions", [(name, str(getattr(record.versions, name))) for name in _VERSION_NAMES])
    yield _sources(record)
    yield _facts("funnel", list(_funnel_rows(record)))
    yield _slate(record, names)
    yield _columns(record, names) if all_columns else _groups(record, names)
    yield _mutations(record, names)
    yield _propensities(record, names)
    noted = [(d.stage.name.lower(), f"{d.reason.name} {d.subject}") for d in record.degradations]
    yield _facts("degradations", noted or [("none", "every planned stage ran whole")])
    timings = [(stage.name.lower(), f"{taken / 1000:.1f} ms") for stage, taken in record.timings_us]
    yield _facts("timings", timings)


_VERSION_NAMES = ("policy_version", "two_tower_version", "pre_ranker_version", "ranker_version", "index_epoch")


def _titled(title: str, *headers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _facts(title: str, rows: list[tuple[str, str]]) -> Table:
    table = _titled(title, "", "")
    table.show_header = False
    for name, value in rows:
        table.add_row(name, value or "-")
    return table


def _request_rows(record: DecisionRecord) -> list[tuple[str, str]]:
    request = record.request
    mesh = datetime.fromtimestamp(record.occurred_at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    wall = datetime.fromtimestamp(record.wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return [
        ("decision", record.decision_id.hex()),
        ("mesh time", mesh),
        ("wall time", wall),
        ("surface", record.surface),
        ("purpose", f"{request.purpose.name}, exploration {request.exploration.name}"),
        ("asked for", f"{request.k} items after {request.page_start} of session {request.session_id or '-'}"),
        ("subject", request.subject.hex()),
        ("request id", request.request_id),
        ("anchors, excluded", f"{len(request.anchors)}, {len(request.excluded)}"),
        ("seed", str(record.seed)),
        ("on record", "the whole funnel" if record.candidates is not None else "the slate only"),
    ]


def _sources(record: DecisionRecord) -> Table:
    table = _titled("retrieval: what each source proposed", "source", "proposed", "latency", "in the slate", "state")
    for column, source in enumerate(record.sources):
        shown = int((record.slate_candidates.source_ranks[:, column] > 0).sum()) if len(record.slate) else 0
        state = f"failed: {source.reason}" if source.failed else "answered"
        taken = f"{source.latency_us / 1000:.1f} ms"
        table.add_row(source.source.name.lower(), str(source.count), taken, str(shown), state)
    return table


def _funnel_rows(record: DecisionRecord) -> Iterator[tuple[str, str]]:
    yield "proposed by all sources", str(sum(s.count for s in record.sources))
    if record.candidates is None:
        yield "in the slate", str(len(record.slate))
        return
    yield "candidates after merging", str(len(record.candidates))
    yield f"kept by the pre-rank cut (best {record.best_n})", str(cut_count(record))
    for reason, count in drops_of(table_of(record)).items():
        yield ("in the slate" if reason == "KEPT" else f"dropped: {reason}"), str(count)


def _slate(record: DecisionRecord, names: dict[int, str]) -> Table:
    headings = [name for name in scores_of(record, record.slate_candidates, 0)] if record.slate else []
    table = _titled("slate", "position", "item", "rank before", "utility", *headings, "proposed by (rank, score)")
    for place, position in enumerate(record.slate):
        found = scores_of(record, record.slate_candidates, place)
        credit = ", ".join(
            f"{c.source} ({c.rank}, {c.score:.3f})" for c in credits_of(record, record.slate_candidates, place)
        )
        table.add_row(
            str(position.position), names.get(position.item_id, str(position.item_id)), str(position.pre_swap_rank),
            f"{record.slate_candidates.utility[place]:.4f}", *(f"{found[name]:.4f}" for name in headings), credit,
        )  # fmt: skip
    return table


def _groups(record: DecisionRecord, names: dict[int, str]) -> Table:
    table = _titled("features: age of each group, or why its defaults stand", "of", *record.item_groups)
    for place, position in enumerate(record.slate):
        values = item_features(record, record.slate_candidates, place)
        table.add_row(names.get(position.item_id, str(position.item_id)), *(_cell(v) for v in values))
    table.caption = "user: " + ", ".join(f"{v.group} {_cell(v)}" for v in user_features(record))
    table.caption_justify = "left"
    return table


def _columns(record: DecisionRecord, names: dict[int, str]) -> Table:
    table = _titled("features: every column", "of", "column", "value", "mask", "age")
    described = [("user", values) for values in user_features(record)]
    for place, position in enumerate(record.slate):
        name = names.get(position.item_id, str(position.item_id))
        described += [(name, values) for values in item_features(record, record.slate_candidates, place)]
    for of, values in described:
        for column, value in values.columns.items():
            table.add_row(of, column, f"{value:.5g}", values.mask, _age(values.age_s))
    return table


def _cell(values: GroupValues) -> str:
    return _age(values.age_s) if values.mask == "PRESENT" else values.mask


def _age(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds} s"


def _mutations(record: DecisionRecord, names: dict[int, str]) -> Table:
    table = _titled("policy: changes of the order by utility", "what", "item", "from rank", "to position")
    for m in record.mutations:
        to = str(m.to_position) if m.to_position else "not in the slate"
        table.add_row(m.kind.name, names.get(m.item_id, str(m.item_id)), str(m.from_rank), to)
    return table


def _propensities(record: DecisionRecord, names: dict[int, str]) -> Table:
    p = record.propensity
    title = f"propensities: slice rate ρ {p.rho:g}, eligible n {p.n}, explore pool m {p.m}, explore position s {p.s}"
    table = _titled(title, "position", "item", "p_shown", "p_position", "scheme")
    for position in record.slate:
        table.add_row(
            str(position.position), names.get(position.item_id, str(position.item_id)), f"{position.p_shown:.6f}",
            f"{position.p_position:.6f}", position.scheme.name,
        )  # fmt: skip
    return table


def proof_table(proof: Proof) -> Table:
    """Return the links of a proof, in order."""
    level = "every step" if proof.full else "the slate only"
    table = _titled(f"proof of {proof.decision_id.hex()} ({level})", "link", "holds", "found")
    for link in proof.links:
        held = "skipped" if link.skipped else "yes" if link.holds else "NO"
        table.add_row(link.name, held, "" if held == "yes" else link.detail)
    return table


def sample_table(proven: Proven) -> Table:
    """Return what came of proving a sample."""
    return _facts(
        "proofs of random full decisions",
        [
            ("proven", f"{proven.holding} of {len(proven.proofs)} drawn from {proven.eligible}"),
            ("policy versions covered", ", ".join(v[:12] for v in proven.policies)),
            ("ranker versions covered", ", ".join(v[:12] or "none" for v in proven.rankers)),
            ("broken links", ", ".join(f"{name} in {count}" for name, count in proven.broken.items()) or "none"),
        ],
    )

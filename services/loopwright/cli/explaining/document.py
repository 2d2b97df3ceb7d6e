"""An explained decision as one JSON object, for scripts; pure."""

from __future__ import annotations

from typing import Any

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
from loopwright.localmesh.verify import Link, Proof
from loopwright.pipeline.record import DecisionRecord


def decision_document(explained: Explained) -> dict[str, Any]:
    """Return the decision: request, versions, sources, cut, drops, slate, mutations, propensity and timings."""
    record = explained.record
    names = names_of(explained)
    return {
        "decision_id": record.decision_id.hex(),
        "full": record.candidates is not None,
        "occurred_at_ms": record.occurred_at_ms,
        "wall_ms": record.wall_ms,
        "request": _request(record),
        "versions": {name: getattr(record.versions, name) for name in record.versions.__slots__},
        "seed": record.seed,
        "arm": record.arm,
        "sources": [
            {
                "source": s.source.name.lower(),
                "count": s.count,
                "latency_us": s.latency_us,
                "failed": s.failed,
                "reason": s.reason,
            }
            for s in record.sources
        ],
        "candidates": len(table_of(record)),
        "kept_by_cut": cut_count(record),
        "drops": drops_of(table_of(record)),
        "user_features": [_group(values) for values in user_features(record)],
        "slate": [_position(record, place, names) for place in range(len(record.slate))],
        "mutations": [
            {
                "kind": m.kind.name,
                "item": names.get(m.item_id, str(m.item_id)),
                "from_rank": m.from_rank,
                "to_position": m.to_position,
            }
            for m in record.mutations
        ],
        "propensity": {name: getattr(record.propensity, name) for name in record.propensity.__slots__},
        "degradations": [
            {"stage": d.stage.name.lower(), "reason": d.reason.name, "subject": d.subject} for d in record.degradations
        ],
        "timings_us": {stage.name.lower(): taken for stage, taken in record.timings_us},
    }


def _request(record: DecisionRecord) -> dict[str, Any]:
    request = record.request
    return {
        "request_id": request.request_id,
        "subject": request.subject.hex(),
        "surface": record.surface,
        "session_id": request.session_id,
        "page_start": request.page_start,
        "k": request.k,
        "purpose": request.purpose.name,
        "exploration": request.exploration.name,
        "anchors": len(request.anchors),
        "excluded": len(request.excluded),
        "locale": request.locale,
        "client_version": request.client_version,
    }


def _position(record: DecisionRecord, place: int, names: dict[int, str]) -> dict[str, Any]:
    position, table = record.slate[place], record.slate_candidates
    return {
        "position": position.position,
        "item": names.get(position.item_id, str(position.item_id)),
        "pre_swap_rank": position.pre_swap_rank,
        "scheme": position.scheme.name,
        "p_shown": position.p_shown,
        "p_position": position.p_position,
        "propensity_error": position.propensity_error,
        "support": position.support,
        "utility": float(table.utility[place]),
        "scores": scores_of(record, table, place),
        "sources": [
            {"source": c.source, "rank": c.rank, "score": c.score} for c in credits_of(record, table, place)
        ],
        "features": [_group(values) for values in item_features(record, table, place)],
    }  # fmt: skip


def _group(values: GroupValues) -> dict[str, Any]:
    columns = {name.partition(":")[2]: value for name, value in values.columns.items()}
    return {"group": values.group, "mask": values.mask, "age_s": values.age_s, "columns": columns}


def proof_document(proof: Proof) -> dict[str, Any]:
    """Return a proof: whether it holds, and every link with what was found."""
    return {
        "holds": proof.holds,
        "full": proof.full,
        "broken": list(proof.broken),
        "links": [
            {"name": li.name, "holds": li.holds, "skipped": li.skipped, "detail": _detail(li)} for li in proof.links
        ],
    }


def _detail(link: Link) -> str:
    return link.detail if link.skipped or not link.holds else ""


def sample_document(proven: Proven) -> dict[str, Any]:
    """Return what came of a sample: counts, versions covered, broken links and the decisions they are of."""
    return {
        "eligible": proven.eligible,
        "proven": proven.holding,
        "sampled": len(proven.proofs),
        "policy_versions": list(proven.policies),
        "ranker_versions": list(proven.rankers),
        "broken_links": dict(proven.broken),
        "broken_decisions": [p.decision_id.hex() for p in proven.proofs if not p.holds],
    }

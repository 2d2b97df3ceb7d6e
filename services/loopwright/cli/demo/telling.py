"""One explained decision in a few lines, for people who watch the demo; `loopwright explain` prints all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table

from loopwright.cli.clients import Explained
from loopwright.cli.explaining.reading import credits_of, drops_of, names_of, scores_of, table_of
from loopwright.localmesh.verify import Proof

SHOWN = 8
"""Positions told: far enough to hold the explore slot of either bundle."""


def told_decision(explained: Explained, proof: Proof, titles: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield the path of a decision in lines, its first positions as a table, and its proof; `titles` by external id."""
    record, names = explained.record, names_of(explained)
    yield f"decision {record.decision_id.hex()} under policy {record.versions.policy_version[:12]}"
    proposed = ", ".join(f"{source.source.name.lower()} {source.count}" for source in record.sources)
    yield f"  proposed: {proposed}; {len(table_of(record))} candidates after merging"
    drops = ", ".join(f"{reason} {count}" for reason, count in drops_of(table_of(record)).items() if reason != "KEPT")
    yield f"  dropped: {drops or 'none'}; mutations: {len(record.mutations)}"
    table = Table("position", "item", "proposed by", "heads", "utility", "p_shown", "scheme")
    for place, position in enumerate(record.slate[:SHOWN]):
        name = names.get(position.item_id, str(position.item_id))
        scores = scores_of(record, record.slate_candidates, place)
        table.add_row(
            str(position.position), titles.get(name, name),
            ", ".join(f"{c.source} #{c.rank}" for c in credits_of(record, record.slate_candidates, place)),
            ", ".join(f"{head} {scores[head]:.2f}" for head in record.head_names if head in scores),
            f"{record.slate_candidates.utility[place]:.3f}", f"{position.p_shown:.4f}", position.scheme.name,
        )  # fmt: skip
    yield table
    yield "  proof: " + ", ".join(
        link.name if link.holds else f"{link.name} BROKEN ({link.detail})" for link in proof.links
    )

"""Bars what must not be shown to anybody (withdrawn, unsafe...) or to this user now (seen, blocked...)."""

from __future__ import annotations

from loopwright.domain.guards import ineligible
from loopwright.pipeline.types import U8, SlateQuery


def eligibility(query: SlateQuery) -> U8:
    """Return uint8 [N]: the `DropReason` that bars each candidate, 0 where none does."""
    return ineligible(query.eligibility, query.guards)

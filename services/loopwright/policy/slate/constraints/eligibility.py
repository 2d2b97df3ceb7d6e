"""Bars what must not be shown to anybody (withdrawn, unsafe...) or to this user now (seen, blocked...)."""

from __future__ import annotations

from loopwright.bundle import PolicyBundle
from loopwright.domain.guards import ineligible
from loopwright.pipeline.types import U8, SlateQuery


def eligibility(bundle: PolicyBundle, query: SlateQuery) -> U8:
    """Return uint8 [N]: the `DropReason` that bars each candidate, 0 where none does.

    Args:
        bundle: Not asked: no policy may switch these off.
        query: Its eligibility and guard bits.
    """
    return ineligible(query.eligibility, query.guards)

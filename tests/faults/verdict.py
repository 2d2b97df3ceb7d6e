"""What the checker found: for each promise the offending ids with what is wrong; empty means kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Verdict:
    """One scenario's outcome.

    Attributes:
        lost: Acknowledged and not on the log.
        phantom: On the log as shown to a person, and nobody asked for it.
        doubled: After de-duplication still there twice, or one id with two contents.
        late: Answered after the deadline, or work that went on past it.
        unflagged: Degraded, and silent about it.
        versions: Decided under a version outside its interval, or under a mixture.
        disorder: Facts of one subject, or decisions of one user, out of order.
        refused: Failed calls that the scenario does not allow.
        crashed: Processes that ended without having been struck.
        projections: Rows that differ from the log folded anew.
        raw_duplicates: Records that were sent twice; de-duplication drops them.
        calls: Calls ended, by operation and outcome.
        refusals: Calls not OK, by operation, status and reason.
        degraded: OK answers with at least one degradation.
    """

    lost: list[str] = field(default_factory=list)
    phantom: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unflagged: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    projections: list[str] = field(default_factory=list)
    raw_duplicates: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    degraded: int = 0

    @property
    def broken(self) -> dict[str, list[str]]:
        """Promise -> offenders, of the promises that were not kept."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, list) and value}

    def text(self, most: int = 5) -> str:
        """Return the broken promises, a few offenders each, for a person."""
        return "\n".join(f"{name}: {len(found)}\n  " + "\n  ".join(found[:most]) for name, found in self.broken.items())

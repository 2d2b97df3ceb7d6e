"""The table of a run: a row a scenario, printed at the end and written to `docs/faults.md` on request."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.faults.verdict import Verdict

TABLE_VARIABLE = "LOOPWRIGHT_FAULTS_TABLE"
"""Names the file that the table is written to, by default none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario; `recovery_s` reaches to the first of two seconds of good answers, None: not within the wait."""

    fault: str
    verdict: Verdict
    recovery_s: float | None
    cores: float
    load: float
    notes: str = ""


@dataclass(slots=True)
class Table:
    """Rows as they come, and further findings, a line each."""

    rows: list[Row] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


TABLE = Table()

HEAD = (
    "fault", "calls", "ok", "degraded", "refused", "lost", "raw dups", "doubled", "late", "unflagged", "versions",
    "order", "crashes", "recovery s", "cores", "load",
)  # fmt: skip


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as text."""
    verdict = row.verdict
    outcomes = Counter[str]()
    for name, count in verdict.calls.items():
        outcomes[name.split()[1]] += count
    refused = "; ".join(f"{what} {count}" for what, count in sorted(verdict.refusals.items())) or "0"
    return (
        row.fault, str(outcomes.total()), str(outcomes["ok"]), str(verdict.degraded), refused, str(len(verdict.lost)),
        str(verdict.raw_duplicates), str(len(verdict.doubled)), str(len(verdict.late)), str(len(verdict.unflagged)),
        str(len(verdict.versions)), str(len(verdict.disorder) + len(verdict.phantom)), str(len(verdict.crashed)),
        "never" if row.recovery_s is None else f"{row.recovery_s:.1f}", f"{row.cores:.2f}", f"{row.load:.1f}",
    )  # fmt: skip


def machine() -> str:
    """Return what the numbers were taken on."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table whose columns line up."""
    wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in wide) + "|", *lines[1:]])


def document(table: Table) -> str:
    """Return the whole finding as Markdown."""
    parts = [aligned([HEAD, *(cells(row) for row in table.rows)])] if table.rows else []
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in table.findings)]).strip()


def write(table: Table, path: Path) -> None:
    """Write the table with what it means and where it was taken."""
    path.write_text(
        INTRODUCTION.format(machine=machine(), rate=os.environ.get("LOOPWRIGHT_FAULTS_RATE", "8"))
        + "\n"
        + document(table)
        + "\n",
        "utf-8",
    )


INTRODUCTION = """# What the mesh does while its parts die

Made by `make faults`, here with {rate} requests for a slate a second. Every row is one scenario of `tests/faults` on a
real local mesh (Kafka, a Redis-compatible server, every service a process; two replicas of ranking, exposure and
recommender), under steady load with reports and actions, each call with a deadline of 1 s. The checker reads the
fsynced history of the clients and the whole log.

Taken on {machine}; load generator, mesh and servers share them.

*degraded*: OK answers that say what they had to do without. *refused*: calls that did not end OK, by operation, status
and reason. *raw dups*: records sent twice, which every fold drops by their ids. *recovery s*: from the end of the fault
(a kill: its moment) to the first of two seconds in which nine answers in ten were undegraded. *cores*: processors that
the mesh and the load kept busy. *load*: the machine's load average over a minute, when the mesh was well again.

The other columns count broken promises; a scenario passes with 0 in each. *lost*: acknowledged, and not on the log.
*doubled*: one id with two contents, or one request with two decisions. *late*: ended by or after its deadline, or
worked on past it. *unflagged*: an answer silent about what its record, or a fault that stood, shows to be missing.
*versions*: decided under a policy that was not active, or under parts of several. *order*: facts of a user out of
order, or on the log though nobody asked for them. *crashes*: processes that ended without having been struck.
"""

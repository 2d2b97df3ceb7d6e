"""The tables of refusals in the READMEs of the services: which RPC answers which status with which reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SERVICES = Path(__file__).parents[2] / "services" / "loopwright"
OWN = "none (gRPC's own)"
"""How a README names a refusal that carries no reason of ours."""


@dataclass(frozen=True)
class Refusal:
    """One (status, reason) of a table; `rpcs` are the words of its first column, empty when the table has none."""

    rpcs: tuple[str, ...]
    status: str
    reason: str

    def concerns(self, rpc: str) -> bool:
        """Say whether the row is about an RPC."""
        return not self.rpcs or any(
            word in {"all", "both", rpc} or (word == "reports" and rpc.startswith("Report")) or rpc.startswith(word)
            for word in self.rpcs
        )


def refusals(service: str) -> list[Refusal]:
    """Return every refusal that the README of a service lists."""
    found: list[Refusal] = []
    columns: list[str] = []
    for line in (SERVICES / service / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            columns = []
        elif "status" in [cell.lower() for cell in cells]:
            columns = [cell.lower() for cell in cells]
        elif columns and not set(cells[0]) <= set("-"):
            row = dict(zip(columns, cells, strict=False))
            rpcs = tuple(word.strip(" `") for word in row.get("rpc", "").split(",") if word)
            reasons = re.findall(r"`([A-Z_]+)`", row["reason"]) or [row["reason"]]
            found += [Refusal(rpcs, row["status"], reason) for reason in reasons]
    return found

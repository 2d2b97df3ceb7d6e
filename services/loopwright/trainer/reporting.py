"""What a run tells its caller: one JSON object a line on stdout, nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from loopwright.faults import Fault

STEPS = ("replay", "dataset", "towers", "signals", "ranker", "export", "gate", "promote")
_LEAST_ADVANCE = 0.02


class Reporter:
    """Writes the lines; progress is written when it moved by 2 % or the step changed."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._last: tuple[str, float] = ("", 0.0)

    def progress(self, step: str, share: float) -> None:
        """Tell how far a step is, from 0 to 1."""
        before, told = self._last
        if step != before or share >= 1.0 or share - told >= _LEAST_ADVANCE:
            self._last = (step, share)
            self._write({"event": "progress", "step": step, "done": round(share, 4), "total": 1.0})

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Show figures."""
        self._write({"event": "table", "title": title, "columns": list(columns), "rows": [list(row) for row in rows]})

    def result(self, outcome: Mapping[str, Any]) -> None:
        """Tell what came of the run; the last line of a run that ended well."""
        self._write({"event": "result", **outcome})

    def fault(self, fault: Fault) -> None:
        """Tell what ended the run."""
        self._write(
            {
                "event": "fault",
                "reason": fault.reason,
                "message": str(fault.message),
                "metadata": dict(fault.metadata),
            }
        )

    def _write(self, line: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(line, allow_nan=False) + "\n")
        self._stream.flush()

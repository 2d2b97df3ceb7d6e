"""`run.json`: which processes make up the live mesh of a data folder, and at which addresses they answer.

The supervisor writes it; every command reads it to find the mesh, and `down` to end exactly these processes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from loopwright.localmesh.process import ProcessRecord, is_alive

FILE_NAME = "run.json"


@dataclass(frozen=True, slots=True)
class RunFile:
    """The mesh of one data folder: its supervisor, its processes, and name -> `host:port` or URL."""

    supervisor: ProcessRecord
    processes: tuple[ProcessRecord, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Whether the supervisor of this run still lives; what it started is its to restart or to end."""
        return is_alive(self.supervisor)

    def write(self, data_dir: Path) -> None:
        """Replace the folder's file in one step, so that a reader never sees half of it."""
        data_dir.mkdir(parents=True, exist_ok=True)
        partial = data_dir / f"{FILE_NAME}.{os.getpid()}"
        partial.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")
        os.replace(partial, data_dir / FILE_NAME)


def read_run_file(data_dir: Path) -> RunFile | None:
    """Return what the folder's file says, None when there is none; the mesh it names may be dead (`alive`)."""
    path = data_dir / FILE_NAME
    if not path.exists():
        return None
    content = json.loads(path.read_text("utf-8"))
    return RunFile(
        supervisor=ProcessRecord(**content["supervisor"]),
        processes=tuple(ProcessRecord(**record) for record in content["processes"]),
        addresses=dict(content["addresses"]),
    )


def remove_run_file(data_dir: Path) -> None:
    """Remove the folder's file, if there is one."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)

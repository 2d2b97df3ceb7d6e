"""How a command finds the live mesh of its data folder; no live mesh is exit code 2 with the mend."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loopwright.localmesh.run_file import RunFile, read_run_file

NO_MESH = 2
"""Exit code when the data folder has no live mesh."""

out = Console()
"""What a command has to say."""

err = Console(stderr=True, soft_wrap=True)
"""Progress and complaints, so that `--json` on standard output stays clean."""

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        envvar="LOOPWRIGHT_DATA_DIR",
        help="Folder that holds the mesh's data, logs and run.json.",
        show_default="./.loopwright",
    ),
]
"""The option every command takes."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
"""The option of every command that a script might read."""

DEFAULT_DATA_DIR = Path(".loopwright")


def live_mesh(data_dir: Path) -> RunFile:
    """Return the run file of the live mesh.

    Raises:
        typer.Exit: No live mesh in the folder; code 2, the mend is on standard error.
    """
    run = read_run_file(data_dir)
    if run is None or not run.alive or not run.addresses:
        err.print(f"no live mesh in {os.fspath(data_dir)}: start one with `loopwright up --data-dir {data_dir}`")
        raise typer.Exit(NO_MESH)
    return run

"""Progress bars of commands that take longer than a second, on standard error."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loopwright.cli.mesh_access import err


def progress_bars() -> Progress:
    """Return bars that count; a task without a total only moves."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err
    )


def spinner() -> Progress:
    """Return a spinner for work that cannot be counted; it leaves no line behind."""
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True)

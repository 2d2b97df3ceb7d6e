"""Which processes of a live mesh run on the published development keys; `doctor` names them."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY, DEVELOPMENT_TOKEN_KEY
from loopwright.localmesh.run_file import RunFile
from loopwright.localmesh.topology import service_name

PUBLISHED: Mapping[str, tuple[str, str]] = {
    "recommender": ("LOOPWRIGHT_RECOMMENDER_SUBJECT_KEY", DEVELOPMENT_SUBJECT_KEY),
    "ingest": ("LOOPWRIGHT_INGEST_SUBJECT_KEY", DEVELOPMENT_SUBJECT_KEY),
    "exposure": ("LOOPWRIGHT_EXPOSURE_TOKEN_KEY", DEVELOPMENT_TOKEN_KEY),
}
"""Service -> the variable of its key, and the key that stands in when it is not set."""


def variables_on_published_keys(environments: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the variables whose service runs on its published key.

    Args:
        environments: Process -> its environment; services without a process are left out.
    """
    return [
        variable
        for service, (variable, published) in PUBLISHED.items()
        if any(
            service_name(process) == service and environment.get(variable, published) == published
            for process, environment in environments.items()
        )
    ]


def environments(run: RunFile) -> dict[str, dict[str, str]]:
    """Return the environment of each live process of a mesh; processes of other users stay out."""
    found: dict[str, dict[str, str]] = {}
    for record in run.processes:
        try:
            found[record.name] = psutil.Process(record.pid).environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found

"""The running mesh with the benchmark's world in it: real processes, a real Kafka, a Redis-compatible server."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from rich.progress import Progress

from benchmarks.serving.bundles import SIZES, bundle
from benchmarks.serving.models import put_models
from benchmarks.serving.world import World
from loopwright.bundle import PolicyBundle
from loopwright.cli.clients import policy_service
from loopwright.cli.importing.command import Clock, Job, run_import
from loopwright.cli.promoting import switch
from loopwright.localmesh.control import LocalMesh
from loopwright.localmesh.mesh import running_mesh
from loopwright.modelstore import ModelStore

LOADED_WITHIN_S = 400.0
"""Retrieval builds the graph over 100,000 items on one thread before it reports the bundle as loaded."""


@asynccontextmanager
async def populated_mesh(folder: Path, world: World) -> AsyncIterator[LocalMesh]:
    """Start a mesh, import the world through `ingest`, put the models in and activate both policies."""
    async with running_mesh(folder) as mesh:
        told = partial(_told, time.monotonic())
        told("started")
        await import_world(mesh, world)
        told("imported and folded")
        pins = put_models(ModelStore(mesh.layout.model_store), world)
        async with policy_service(mesh.layout.target("policy"), "benchmark") as client:
            for size in SIZES:
                choose = partial(_always, bundle(size, pins))
                await switch(client, size.surface, choose, reason="benchmark", within_s=LOADED_WITHIN_S)
        told("policies active")
        yield mesh


async def import_world(mesh: LocalMesh, world: World) -> None:
    """Import catalogue and ratings as `loopwright import` does; returns when the mesh has folded them.

    Raises:
        RuntimeError: Rows were rejected.
    """
    ratings, items = world.write(mesh.data_dir)
    job = Job(ratings, items, Clock.EVENT, 1.0, None, 4.0, "")
    addresses = mesh.addresses()
    with Progress(disable=True) as progress:
        done = await run_import(job, mesh.data_dir, addresses["ingest"], addresses["kafka"], progress)
    if done.rejects:
        raise RuntimeError(f"{done.rejects} rows were rejected: {done.rejects_file}")


def _always(wanted: PolicyBundle, known: object) -> PolicyBundle:
    return wanted


def _told(began: float, what: str) -> None:
    print(f"   {time.monotonic() - began:6.1f} s {what}", file=sys.stderr, flush=True)

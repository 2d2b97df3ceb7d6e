"""One mesh for all scenarios of this folder; its table is printed at the end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.table import TABLE, TABLE_VARIABLE, document, write
from tests.faults.world import World, running_world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The prepared mesh; a task of its own holds it, so that it is entered and left in one."""
    folder = Path(tmp_path_factory.mktemp("faults"))
    ready: asyncio.Future[World] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def hold() -> None:
        try:
            async with running_world(folder) as running:
                ready.set_result(running)
                await done.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    holding = asyncio.create_task(hold())
    try:
        yield await ready
    finally:
        done.set()
        await holding


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of this run, and write it where the variable says."""
    if not TABLE.rows and not TABLE.findings:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(document(TABLE))
    if target := os.environ.get(TABLE_VARIABLE):
        write(TABLE, Path(target))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the scenarios after this folder's other tests: the mesh stays up until the last of them."""
    folder = Path(__file__).parent
    places = [place for place, item in enumerate(items) if folder in item.path.parents]
    ordered = sorted((items[place] for place in places), key=lambda item: item.get_closest_marker("faults") is not None)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item

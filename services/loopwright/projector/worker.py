"""The projector process: `python -m loopwright.projector.worker`."""

from __future__ import annotations

import asyncio

from loopwright.lifecycle import process
from loopwright.projector.bootstrap import bootstrap
from loopwright.projector.config import ProjectorSettings
from loopwright.rpc import run


async def main() -> None:
    """Fold until SIGTERM or SIGINT; a stage that fails ends the process, which then begins at its marks."""
    settings = ProjectorSettings()
    async with process("projector", settings) as proc, bootstrap(settings, proc) as projector:
        folding = asyncio.ensure_future(projector.run())
        stopping = asyncio.ensure_future(proc.stopped())
        try:
            await asyncio.wait([folding, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in (folding, stopping):
                if task.done():
                    task.result()
        finally:
            for task in (folding, stopping):
                task.cancel()
            await asyncio.wait([folding, stopping])


if __name__ == "__main__":
    run(main)

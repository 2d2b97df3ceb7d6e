"""The monitor process: `python -m loopwright.monitor.worker`."""

from __future__ import annotations

from loopwright.lifecycle import process
from loopwright.monitor.bootstrap import bootstrap
from loopwright.monitor.config import MonitorSettings
from loopwright.rpc import run
from loopwright.telemetry import get_logger

_log = get_logger(__name__)


async def main() -> None:
    """Watch until told to stop."""
    settings = MonitorSettings()
    async with process("monitor", settings) as proc, bootstrap(settings, proc) as monitor:
        _log.info("watching", extra={"summary_port": monitor.summary_port})
        await proc.stopped()


if __name__ == "__main__":
    run(main)

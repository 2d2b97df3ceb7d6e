"""Settings of the monitor, read once in `worker.py`; nothing here changes a decision."""

from __future__ import annotations

from pydantic import Field

from loopwright.lifecycle import ServiceSettings


class MonitorSettings(ServiceSettings, service="monitor"):
    """Environment variables `LOOPWRIGHT_MONITOR_...`."""

    summary_port: int = Field(
        default=0, ge=0, le=65535, description="Loopback TCP port of GET /summary; 0 takes a free one."
    )
    summary_timeout_s: float = Field(
        default=5.0, gt=0, description="Wait of /summary for the fold of what is on the log at the call."
    )
    interval_s: float = Field(default=2.0, gt=0, description="Time between two updates of the gauges.")
    report_window_s: float = Field(
        default=1800.0,
        gt=0,
        le=86_400,
        description="Mesh time after which a position without a report counts as unreported.",
    )
    exposure_window_days: int = Field(default=7, ge=1, description="Days of mesh time that exposure shares are over.")
    fresh_window_days: int = Field(
        default=30, ge=1, description="Age in days up to which a shown item counts as fresh."
    )

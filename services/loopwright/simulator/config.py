"""Settings of the simulator, read once in `job.py`: where the public API answers and how long to wait for it."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from loopwright.rpc import ChannelSettings


class SimulatorSettings(BaseSettings):
    """Environment variables `LOOPWRIGHT_SIMULATOR_...`; what shapes the world is an argument of the job instead."""

    model_config = SettingsConfigDict(
        env_prefix="LOOPWRIGHT_SIMULATOR_", frozen=True, extra="forbid", env_nested_delimiter="__"
    )

    recommender_target: str = Field(default="127.0.0.1:7100", description="Address of the front door.")
    exposure_target: str = Field(default="127.0.0.1:7105", description="Address that takes impressions and actions.")
    channels: ChannelSettings = Field(default=ChannelSettings(), description="How both are called.")
    call_timeout_s: float = Field(default=5.0, gt=0, description="Deadline of every call.")
    retry_wait_s: float = Field(default=0.2, ge=0, description="Wait before the first repetition; doubles each time.")
    log_level: str = Field(default="INFO", description="Lowest level of log lines.")

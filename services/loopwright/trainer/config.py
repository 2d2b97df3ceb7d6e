"""Settings of the trainer, read once in `job.py`; what shapes decisions is in the bundle and the recipe, not here."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from loopwright.lifecycle import ServiceSettings
from loopwright.rpc import ChannelSettings


class TrainerSettings(ServiceSettings, service="trainer"):
    """Environment variables `LOOPWRIGHT_TRAINER_...`."""

    model_store_path: Path = Field(default=Path(".loopwright/models"), description="Folder of the model store.")
    policy_target: str = Field(
        default="127.0.0.1:7104", description="host:port of PolicyService, asked only to promote."
    )
    channels: ChannelSettings = Field(default=ChannelSettings(), description="Limits of the channel to policy.")
    append_timeout_s: float = Field(default=10.0, gt=0, description="Wait for the log to take an event of ours.")
    promote_timeout_s: float = Field(
        default=60.0, gt=0, description="Wait for every replica to load the new bundle before promotion fails."
    )

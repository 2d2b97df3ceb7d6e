"""Settings of hydration, read once in `server.py`; nothing here changes a decision."""

from __future__ import annotations

from pydantic import Field

from loopwright.lifecycle import ServiceSettings
from loopwright.rpc import RpcSettings


class HydrationSettings(ServiceSettings, service="hydration"):
    """Environment variables `LOOPWRIGHT_HYDRATION_...`."""

    rpc: RpcSettings = Field(default=RpcSettings(port=7102), description="Where hydration listens.")
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="Store of user rows and item rows.")
    redis_timeout_ms: float = Field(
        default=20.0, gt=0, description="Ceiling of one exchange with the store; there is no second try."
    )
    redis_namespace: str = Field(default="", description="Prefix of every key in the store.")

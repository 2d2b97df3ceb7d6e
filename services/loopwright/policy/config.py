"""Settings of policy, read once in `server.py`; what shapes decisions is in the bundle, not here."""

from __future__ import annotations

from pydantic import Field

from loopwright.lifecycle import ServiceSettings
from loopwright.rpc import RpcSettings


class PolicySettings(ServiceSettings, service="policy"):
    """Environment variables `LOOPWRIGHT_POLICY_...`."""

    rpc: RpcSettings = Field(default=RpcSettings(port=7104), description="Where policy listens.")
    first_start_timeout_s: float = Field(
        default=30.0, gt=0, description="Time for publishing and activating the default bundle on an empty log."
    )
    fallback_interval_s: float = Field(
        default=60.0, gt=0, description="Time between two looks at the fallback order of each surface."
    )

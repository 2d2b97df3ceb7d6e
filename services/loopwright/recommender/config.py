"""Settings of the front door, read once in `server.py`; nothing here changes a decision."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from loopwright.lifecycle import ServiceSettings
from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY, refuse_beyond_loopback
from loopwright.rpc import BreakerSettings, ChannelSettings, RetrySettings, RpcSettings


class FrontDoorRpc(RpcSettings):
    """The front door's server: sheds what it could only answer late, where a leaf would be asked in vain.

    The limit starts low: one machine answers about 20 requests/s, so 8 in flight are .4 s of work, well within the
    second that callers grant; it grows within seconds where answers come sooner.
    """

    port: int = Field(default=7100, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    max_in_flight: int = Field(
        default=64, ge=0, description="Most calls in flight that the adaptive limit may grow to; 0: no limit."
    )


class RecommenderSettings(ServiceSettings, service="recommender"):
    """Environment variables `LOOPWRIGHT_RECOMMENDER_...`."""

    rpc: FrontDoorRpc = Field(default=FrontDoorRpc(), description="Where the front door listens, and its limits.")
    channels: ChannelSettings = Field(default=ChannelSettings(), description="How it calls the leaves.")
    breakers: BreakerSettings = Field(default=BreakerSettings(), description="When it leaves a failing leaf alone.")
    retries: RetrySettings = Field(default=RetrySettings(), description="Second attempts of calls to the leaves.")
    hydration_target: str = Field(default="127.0.0.1:7102", description="Address of hydration.")
    retrieval_target: str = Field(default="127.0.0.1:7101", description="Address of retrieval.")
    ranking_target: str = Field(default="127.0.0.1:7103", description="Address of ranking.")
    policy_target: str = Field(default="127.0.0.1:7104", description="Address of policy.")
    exposure_target: str = Field(default="127.0.0.1:7105", description="Address of exposure.")
    subject_key: SecretStr = Field(
        default=SecretStr(DEVELOPMENT_SUBJECT_KEY),
        description="Key of the subject hash; the default is public and for loopback only.",
    )
    outbox_max_age_s: float = Field(
        default=21_600.0, description="How far past a decision's wall time its record may be appended.", gt=0
    )

    @model_validator(mode="after")
    def _development_key_stays_on_loopback(self) -> Self:
        refuse_beyond_loopback("subject_key", self.subject_key, DEVELOPMENT_SUBJECT_KEY, self.rpc.host)
        return self

"""Settings of the front door, read once in `server.py`; nothing here changes a decision."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from loopwright.lifecycle import ServiceSettings
from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY, refuse_beyond_loopback
from loopwright.rpc import ChannelSettings, RpcSettings


class RecommenderSettings(ServiceSettings, service="recommender"):
    """Environment variables `LOOPWRIGHT_RECOMMENDER_...`."""

    rpc: RpcSettings = Field(default=RpcSettings(port=7100), description="Where the front door listens.")
    channels: ChannelSettings = Field(default=ChannelSettings(), description="How it calls the leaves.")
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

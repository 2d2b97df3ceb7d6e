"""Settings of ingest, read once in `server.py`; nothing here changes a decision."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from loopwright.lifecycle import ServiceSettings
from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY, refuse_beyond_loopback
from loopwright.rpc import RpcSettings


class IngestSettings(ServiceSettings, service="ingest"):
    """Environment variables `LOOPWRIGHT_INGEST_...`."""

    rpc: RpcSettings = Field(default=RpcSettings(port=7106), description="Where ingest listens.")
    subject_key: SecretStr = Field(
        default=SecretStr(DEVELOPMENT_SUBJECT_KEY),
        description="Key of the subject hash, that of the front door; the default is public and for loopback only.",
    )
    append_timeout_s: float = Field(
        default=10.0, gt=0, description="Wait for the log's acknowledgement of one batch, within the call's deadline."
    )
    future_slack_s: float = Field(
        default=1.0, ge=0, description="How far past mesh time a fact may be: the skew of clients' clocks."
    )

    @model_validator(mode="after")
    def _development_key_stays_on_loopback(self) -> Self:
        refuse_beyond_loopback("subject_key", self.subject_key, DEVELOPMENT_SUBJECT_KEY, self.rpc.host)
        return self

"""Settings of exposure, read once in `server.py`; nothing here changes a decision."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from loopwright.eventlog import OutboxSettings
from loopwright.exposure.tokens import MAX_KEY_ID
from loopwright.lifecycle import ServiceSettings
from loopwright.lifecycle.development_keys import DEVELOPMENT_TOKEN_KEY, refuse_beyond_loopback
from loopwright.rpc import RpcSettings


class ExposureSettings(ServiceSettings, service="exposure"):
    """Environment variables `LOOPWRIGHT_EXPOSURE_...`."""

    rpc: RpcSettings = Field(default=RpcSettings(port=7105), description="Where exposure listens.")
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Store of request ids and of what was served lately."
    )
    redis_timeout_ms: float = Field(
        default=20.0, gt=0, description="Ceiling of one exchange with the store; there is no second try."
    )
    redis_namespace: str = Field(default="", description="Prefix of every key in the store.")
    outbox_path: Path | None = Field(
        default=None,
        description="Folder of the outbox, on a lasting volume; none: a log outage answers UNAVAILABLE.",
    )
    outbox: OutboxSettings = Field(default=OutboxSettings(), description="Bounds and waits of the outbox.")
    log_budget_ms: float = Field(
        default=20.0, gt=0, description="Wait for the log's acknowledgement before the outbox takes over."
    )
    token_key: SecretStr = Field(
        default=SecretStr(DEVELOPMENT_TOKEN_KEY),
        description="Key that signs exposure tokens; the default is public and for loopback only.",
    )
    token_key_id: int = Field(default=1, ge=1, le=MAX_KEY_ID, description="Id of `token_key`, stated in tokens.")
    retired_token_keys: dict[int, SecretStr] = Field(
        default={}, description="Keys by id that still verify older tokens; JSON object."
    )
    token_ttl_s: int = Field(
        default=86_400, gt=0, description="Mesh time after which feedback on a slate counts as late."
    )
    known_ids_size: int = Field(
        default=200_000,
        gt=0,
        description="Event ids kept in memory to tell clients of duplicates, about 150 bytes each.",
    )

    @model_validator(mode="after")
    def _keys(self) -> Self:
        if self.token_key_id in self.retired_token_keys:
            raise ValueError("retired_token_keys must not hold token_key_id")
        refuse_beyond_loopback("token_key", self.token_key, DEVELOPMENT_TOKEN_KEY, self.rpc.host)
        return self

    def token_keys(self) -> dict[int, bytes]:
        """Return every key by its id."""
        keys = {**self.retired_token_keys, self.token_key_id: self.token_key}
        return {key_id: key.get_secret_value().encode() for key_id, key in keys.items()}

"""Keys that are published on purpose: a machine of its own can try everything with them; elsewhere they are refused.

Services that share a key name one constant, so that the same user has the same subject wherever he enters.
"""

from __future__ import annotations

from pydantic import SecretStr

from loopwright.rpc.settings import is_loopback

DEVELOPMENT_SUBJECT_KEY = "loopwright-development-subject-key"
DEVELOPMENT_TOKEN_KEY = "loopwright-development-token-key"


def refuse_beyond_loopback(setting: str, key: SecretStr, published: str, host: str) -> None:
    """Hold a setting to its rule: the published key goes with a loopback binding only.

    Args:
        setting: Name of the setting, for the error.
        key: Its value.
        published: The published key that stands in when it is not set.
        host: The address to bind.

    Raises:
        ValueError: The published key with any other binding.
    """
    if key.get_secret_value() == published and not is_loopback(host):
        raise ValueError(f"{setting}: the published development key is refused with a non-loopback binding")

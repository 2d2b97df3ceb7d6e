from __future__ import annotations

import pytest
from pydantic import SecretStr

from loopwright.lifecycle.development_keys import DEVELOPMENT_SUBJECT_KEY, refuse_beyond_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::"])
def test_the_published_key_is_refused_beyond_loopback_by_name(host: str) -> None:
    with pytest.raises(ValueError, match="subject_key"):
        refuse_beyond_loopback("subject_key", SecretStr(DEVELOPMENT_SUBJECT_KEY), DEVELOPMENT_SUBJECT_KEY, host)


@pytest.mark.parametrize(("key", "host"), [(DEVELOPMENT_SUBJECT_KEY, "127.0.0.1"), ("our own", "0.0.0.0")])
def test_loopback_and_own_keys_pass(key: str, host: str) -> None:
    refuse_beyond_loopback("subject_key", SecretStr(key), DEVELOPMENT_SUBJECT_KEY, host)

"""External user ids to subjects: the keyed hash, remembered for the users who come up again."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from loopwright.domain.ids import subject_of

REMEMBERED = 100_000
"""Users whose hash is kept, about 200 bytes each."""


def subject_hasher(key: bytes) -> Callable[[str], bytes]:
    """Return the function from an external user id to its 16-byte subject under this key."""

    @lru_cache(maxsize=REMEMBERED)
    def subject(user_id: str) -> bytes:
        return subject_of(user_id, anonymous=False, key=key)

    return subject

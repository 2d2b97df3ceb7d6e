from __future__ import annotations

from loopwright.domain.ids import subject_of
from loopwright.ingest.subjects import subject_hasher


def test_the_hash_is_that_of_the_front_door_and_depends_on_the_key() -> None:
    hasher = subject_hasher(b"k")
    assert hasher("ann") == hasher("ann") == subject_of("ann", anonymous=False, key=b"k")
    assert subject_hasher(b"other")("ann") != hasher("ann")

from __future__ import annotations

from loopwright.ingest.recent_ids import RecentIds


def test_the_newest_ids_are_known_and_memory_is_bounded() -> None:
    recent = RecentIds(generation=10)
    ids = [n.to_bytes(16, "big") for n in range(100)]
    for identity in ids:
        recent.add(identity)
    assert all(identity in recent for identity in ids[-10:])
    assert sum(identity in recent for identity in ids) <= 20
    assert ids[0] not in recent

from __future__ import annotations

from loopwright.exposure.known_ids import KnownIds


def test_an_added_id_is_known_and_others_are_not():
    known = KnownIds(10)
    known.add(b"a")
    assert b"a" in known
    assert b"b" not in known


def test_the_oldest_id_goes_when_the_memory_is_full():
    known = KnownIds(2)
    for name in (b"a", b"b", b"a", b"c"):
        known.add(name)
    assert [name in known for name in (b"a", b"b", b"c")] == [True, False, True]
    assert len(known) == 2

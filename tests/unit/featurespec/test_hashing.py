from loopwright.featurespec.hashing import state_hash

ROWS = [(b"a", "g.v1", b"1"), (b"a", "h.v1", b"2"), (b"b", "g.v1", b"")]


def test_the_order_of_rows_does_not_matter_and_everything_else_does() -> None:
    assert state_hash(ROWS) == state_hash(reversed(ROWS))
    assert state_hash(ROWS) != state_hash(ROWS[:2])
    assert state_hash([(b"ab", "", b"")]) != state_hash([(b"a", "b", b"")])

import logging

import pytest

from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog import ORGANIC, Record, Undecodable
from loopwright.eventlog.skipping import SkipAndCount
from loopwright.telemetry import METER, names

BAD = Undecodable("organic", 2, 41, 18, b"k" * 16, b"\xff\x00", "UNDECODABLE", "", 7)


def test_a_skipped_record_is_counted_and_its_place_is_logged_but_not_its_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = METER.value(names.EVENTS_DEAD, topic="organic", reason="UNDECODABLE") or 0
    skip = SkipAndCount("co-visitation")
    with caplog.at_level(logging.WARNING):
        skip(BAD)
        skip(BAD._replace(reason="UNKNOWN_PAYLOAD", offset=42))
        skip.invalid(Record("organic", 2, 43, 18, b"k", Event(), b"", "", 7), "subject is not 16 bytes")
    assert skip.counts == {"UNDECODABLE": 1, "UNKNOWN_PAYLOAD": 1, "INVALID": 1}
    assert METER.value(names.EVENTS_DEAD, topic=ORGANIC.name, reason="UNDECODABLE") == before + 1
    said = [(r.__dict__["record"], r.__dict__["reason"], r.__dict__["reader"]) for r in caplog.records]
    assert said == [
        ("organic/2@41", "UNDECODABLE", "co-visitation"),
        ("organic/2@42", "UNKNOWN_PAYLOAD", "co-visitation"),
        ("organic/2@43", "INVALID", "co-visitation"),
    ]

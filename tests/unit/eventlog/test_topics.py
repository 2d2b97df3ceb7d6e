from loopwright.api.events.v1.event_pb2 import Event
from loopwright.eventlog import ALL_TOPICS, CONTROL, FALLBACKS, ITEM_ROWS, LATE, READINESS, topic_named


def test_every_topic_has_one_writer_but_readiness() -> None:
    assert [topic for topic in ALL_TOPICS if len(topic.writers) != 1] == []
    assert [topic for topic in ALL_TOPICS if "*" in topic.writers] == [READINESS]


def test_only_topics_that_hold_whole_states_are_compacted() -> None:
    assert {topic for topic in ALL_TOPICS if topic.compacted} == {FALLBACKS, ITEM_ROWS, READINESS}


def test_compacted_topics_are_kept_for_ever() -> None:
    assert {topic.retention_ms for topic in ALL_TOPICS if topic.compacted} == {-1}


def test_every_payload_has_one_topic_but_those_set_aside() -> None:
    known = {field.name for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields}
    homes = [payload for topic in ALL_TOPICS if topic is not LATE for payload in topic.payloads]
    assert sorted(homes) == sorted(known)


def test_topics_are_found_by_name() -> None:
    assert topic_named("control") is CONTROL
    assert len({topic.name for topic in ALL_TOPICS}) == len(ALL_TOPICS)

from pathlib import Path

import yaml

from loopwright.eventlog.topics_yaml import render, topics_document

FILE = Path(__file__).resolve().parents[3] / "deploy" / "kafka" / "topics.yaml"


def test_the_operators_file_says_what_the_table_says() -> None:
    assert yaml.safe_load(FILE.read_text("utf-8")) == topics_document()
    assert FILE.read_text("utf-8") == render()


def test_what_is_kept_is_explicit_for_every_topic() -> None:
    for topic in topics_document()["topics"].values():
        assert {"cleanup.policy", "retention.ms", "retention.bytes", "message.timestamp.type"} <= topic["config"].keys()
        assert topic["config"]["message.timestamp.type"] == "LogAppendTime"

"""Prints `deploy/kafka/topics.yaml` from the table: `python -m loopwright.eventlog.topics_yaml`."""

from __future__ import annotations

import sys
from typing import Any

import yaml

from loopwright.eventlog.provisioning import topic_settings
from loopwright.eventlog.topics import ALL_TOPICS, ANY_WRITER, DEFAULT_PREFIX

_HEADER = """\
# Topics of the mesh, for operators and for tools that create topics. The table in the code decides; a test keeps this
# file equal to it. Every topic has the same number of partitions N, which divides 64. With three brokers:
# replication.factor 3, min.insync.replicas 2.
"""


def topics_document() -> dict[str, Any]:
    """Return what the file says, as plain values."""
    return {
        "prefix": DEFAULT_PREFIX,
        "partitions": 4,
        "replication_factor": 1,
        "topics": {
            topic.name: {
                "key": topic.key,
                "writer": "any" if ANY_WRITER in topic.writers else ", ".join(sorted(topic.writers)),
                "payloads": sorted(topic.payloads),
                "config": topic_settings(topic),
            }
            for topic in ALL_TOPICS
        },
    }


def render() -> str:
    """Return the file's text."""
    return _HEADER + yaml.safe_dump(topics_document(), sort_keys=False, width=120)


if __name__ == "__main__":
    sys.stdout.write(render())

import ast

import pytest

from loopwright.eventlog import topics
from tests.architecture.source import ROOT, SERVICES, Module, modules, parsed

CONSTANTS = {name: value for name, value in vars(topics).items() if isinstance(value, topics.Topic)}
APPENDS = {"append", "append_many", "append_encoded"}


def foreign_appends(module: Module) -> list[str]:
    """Return the places where a service appends to a topic that another service writes."""
    if module.room not in SERVICES:
        return []
    found = []
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in APPENDS
            and node.args
        ):
            name = ast.unparse(node.args[0]).rpartition(".")[2]
            writers = CONSTANTS[name].writers if name in CONSTANTS else {topics.ANY_WRITER}
            if not writers & {module.room, topics.ANY_WRITER}:
                found.append(f"{module.name}:{node.lineno} appends to {name}, which {', '.join(writers)} writes")
    return found


@pytest.mark.parametrize("topic", topics.ALL_TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_one_writer_which_is_a_service(topic: topics.Topic) -> None:
    assert len(topic.writers) == 1
    (writer,) = topic.writers
    assert writer in SERVICES or (topic.name, writer) == ("readiness", topics.ANY_WRITER)


def test_every_topic_constant_is_in_the_table_under_its_own_name() -> None:
    assert {constant.lower(): topic.name for constant, topic in CONSTANTS.items()} == {
        topic.name: topic.name for topic in topics.ALL_TOPICS
    }


def test_a_payload_is_carried_by_one_kind_of_topic() -> None:
    set_aside = {"late", "dead_letters"}
    carried = [payload for topic in topics.ALL_TOPICS if topic.name not in set_aside for payload in topic.payloads]
    assert len(carried) == len(set(carried))


def test_no_service_appends_to_a_topic_of_another() -> None:
    assert [place for module in modules() for place in foreign_appends(module)] == []


def test_a_foreign_append_is_seen() -> None:
    text = "async def f(log):\n    await log.append(topics.DECISIONS, b'', event, deadline=d)"
    path = ROOT / "services/loopwright/x.py"
    assert foreign_appends(parsed(path, "loopwright.ingest.rows", text)) != []
    assert foreign_appends(parsed(path, "loopwright.exposure.ledger", text)) == []

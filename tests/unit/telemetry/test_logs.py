from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracerProvider, format_trace_id

from loopwright.telemetry import get_logger, names, span
from loopwright.telemetry.logs import configure_logs
from loopwright.telemetry.tracing import use_provider


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logs("ranking", "INFO", stream)
    yield stream
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


def test_a_line_is_json_with_service_level_and_facts(lines: io.StringIO) -> None:
    get_logger("a.b").info("model loaded", extra={"model_version": "abc", "bytes": 3})
    line = json.loads(lines.getvalue())
    assert (line["service"], line["level"], line["logger"]) == ("ranking", "INFO", "a.b")
    assert (line["message"], line["model_version"], line["bytes"]) == ("model loaded", "abc", 3)
    assert "trace_id" not in line


def test_a_line_inside_a_span_carries_its_trace(lines: io.StringIO) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    use_provider(provider)
    with span(names.RANK) as active:
        get_logger("x").warning("slow")
    use_provider(NoOpTracerProvider())
    assert json.loads(lines.getvalue())["trace_id"] == format_trace_id(active.get_span_context().trace_id)


@pytest.mark.parametrize("key", ["user_id", "subject", "query_text", "exposure_token"])
def test_personal_data_is_withheld_by_key(lines: io.StringIO, key: str) -> None:
    get_logger("x").info("hello", extra={key: "canary-4711"})
    assert "4711" not in lines.getvalue()
    assert json.loads(lines.getvalue())[key] == "[withheld]"


def test_an_exception_brings_its_stack_on_the_same_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("x")
    except ValueError:
        get_logger("x").exception("failed")
    (text,) = lines.getvalue().splitlines()
    assert "ValueError" in json.loads(text)["stack"]


def test_lower_levels_are_left_out(lines: io.StringIO) -> None:
    get_logger("x").debug("nothing")
    assert lines.getvalue() == ""

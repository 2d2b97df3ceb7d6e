"""JSON log lines on stderr with service, level and trace id; personal data is withheld."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from opentelemetry import trace

from loopwright.telemetry.entries import WITHHELD

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One log record -> one line of JSON; what is named after a person or a secret loses its value."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line: time (UTC), level, service, logger, message, trace and span id, extras, stack."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        found = trace.get_current_span().get_span_context()
        if found.is_valid:
            line["trace_id"] = trace.format_trace_id(found.trace_id)
            line["span_id"] = trace.format_span_id(found.span_id)
        for key, value in vars(record).items():
            if key not in _STANDARD:
                line[key] = "[withheld]" if key.rpartition(".")[2] in WITHHELD else value
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def get_logger(name: str) -> logging.Logger:
    """Returns a module's logger; facts go into `extra`, not the text: `log.info("loaded", extra={...})`."""
    return logging.getLogger(name)


def configure_logs(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Makes the root logger write JSON lines to `stream` (default stderr), replacing earlier handlers."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    # aiokafka repeats every fetch retry at INFO; grpc.aio logs poller noise there.
    for noisy in ("aiokafka", "grpc"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))

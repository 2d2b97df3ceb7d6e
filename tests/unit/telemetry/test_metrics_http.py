from __future__ import annotations

import urllib.request

import pytest

from loopwright.telemetry import Meter, metrics_port, names


def test_the_port_serves_registered_metrics_and_closes_with_the_block() -> None:
    meter = Meter()
    meter.count(names.EVENTS_APPENDED, topic="decisions")
    with metrics_port(0, meter=meter) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        with pytest.raises(OSError), metrics_port(port, meter=meter):
            pass
    assert 'loopwright_events_appended_total{topic="decisions"} 1.0' in text
    assert "loopwright_outbox_depth_records 0.0" in text
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1)

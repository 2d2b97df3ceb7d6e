import asyncio
import http.server
import json
import threading
from pathlib import Path

import pytest
from tests.recorded_decisions import NOW_MS, RecordedLog, events_of, ranked_bundle, recorded, soon

from loopwright.cli.demo.readings import add_up, agrees, monitor_summary
from loopwright.cli.demo.tally import Tally
from loopwright.domain.enums import Purpose
from loopwright.eventlog import DECISIONS


async def test_shown_decisions_count_once_and_lists_to_judge_not_at_all(tmp_path: Path) -> None:
    made = RecordedLog.new(tmp_path)
    bundle = ranked_bundle(made.store)
    await made.activate(bundle, NOW_MS - 1)
    for number in range(3):
        await made.decide(bundle, number)
    await made.decide(bundle, 4, purpose=Purpose.EVALUATE)
    record, answer = recorded(made.store, bundle, 1)
    await made.log("exposure").append(DECISIONS, record.request.subject, events_of(record, answer)[0], deadline=soon())
    tally = Tally()
    await add_up(made.log(), tally)
    assert tally.decisions == 3


@pytest.mark.parametrize(
    ("changes", "agreeing"), [({}, True), ({"seen": 8}, False), ({"positions": 21}, False), ({"unmatched": 1}, False)]
)
def test_the_log_agrees_with_clients_only_when_every_count_does(changes: dict[str, int], agreeing: bool) -> None:
    accounting = {"positions": 20, "seen": 9, "acted": 2, "unmatched": 0, **changes}
    assert agrees(accounting, {"shown": 20, "viewed": 9, "clicks": 2}) is agreeing


async def test_a_monitor_that_still_reads_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loopwright.cli.demo.readings.ASK_EVERY_S", 0.01)
    codes = [503, 503, 200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(codes.pop(0))
            self.end_headers()
            self.wfile.write(json.dumps({"events": {}}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            found = await asyncio.wait_for(monitor_summary({"monitor.summary": f"127.0.0.1:{server.server_port}"}), 20)
        finally:
            server.shutdown()
            thread.join()
    assert found == {"events": {}} and codes == []

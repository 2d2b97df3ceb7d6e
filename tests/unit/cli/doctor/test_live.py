import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from loopwright.api.events.v1.control_pb2 import ClockSet
from loopwright.cli.doctor import live
from loopwright.cli.doctor.finding import State
from loopwright.domain.ids import event_id
from loopwright.eventlog import CONTROL, MESH_KEY, MemoryBroker, MemoryEventLog, make_event
from loopwright.faults import LogUnavailable
from loopwright.lifecycle import FixedClock
from loopwright.localmesh.mesh import own_record
from loopwright.localmesh.process import ManagedProcess, ProcessRecord, ProcessSpec
from loopwright.localmesh.run_file import FILE_NAME, RunFile
from loopwright.localmesh.topology import SERVICES
from loopwright.rpc import Deadline

GONE = ProcessRecord("supervisor", 2**22 - 1, 1.0)


async def only(folder: Path) -> live.Finding:
    (finding,) = await live.mesh_checks(folder)
    return finding


async def test_no_mesh_is_no_fault(tmp_path: Path) -> None:
    assert (await only(tmp_path)).state is State.NOTE


async def test_an_unreadable_or_stale_run_file_is_broken_and_names_what_still_runs(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{", "utf-8")
    assert "unreadable" in (await only(tmp_path)).found
    RunFile(supervisor=GONE, processes=(own_record("kafka"),)).write(tmp_path)
    found = await only(tmp_path)
    assert found.state is State.BROKEN
    assert "stale" in found.found and "kafka" in found.found and "loopwright down" in found.mend


async def test_a_mesh_that_is_starting_is_noted(tmp_path: Path) -> None:
    RunFile(supervisor=own_record("supervisor")).write(tmp_path)
    assert (await only(tmp_path)).found == "the mesh is starting"


def test_a_dead_process_is_named() -> None:
    run = RunFile(own_record("supervisor"), (own_record("policy"), replace(GONE, name="ranking")))
    found = live.processes(run, Path("/data/logs"))
    assert found.found == "not alive: ranking" and "`tail -n 50 /data/logs/ranking.log`" in found.mend
    assert live.processes(replace(run, processes=(own_record("policy"),)), Path("/data/logs")).state is State.OK


async def test_an_address_that_does_not_answer_is_named() -> None:
    run = RunFile(own_record("supervisor"), addresses={"redis": "redis://127.0.0.1:1/0"})
    found = await live.ports(run, "the mend")
    assert found.state is State.BROKEN and found.found == "nothing listens for redis" and found.mend == "the mend"


async def test_an_address_that_another_process_answers_is_named_with_who_does(tmp_path: Path) -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    sleeper = ManagedProcess(
        ProcessSpec("ranking", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, tmp_path / "log")
    )
    async with await asyncio.start_server(nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = {"ranking": f"127.0.0.1:{port}"}
        try:
            found = await live.ports(RunFile(GONE, (sleeper.start(),), address), "the mend")
        finally:
            await sleeper.stop(5)
        assert found.state is State.BROKEN and found.mend == "the mend"
        assert found.found.startswith(f"ranking at {port} is answered by ") and f"(pid {os.getpid()})" in found.found
        ours = await live.ports(RunFile(GONE, (own_record("ranking"),), address), "the mend")
        assert ours.state is State.OK


@pytest.mark.parametrize("address", ["127.0.0.1:6379", "redis://127.0.0.1:6379/0", "http://127.0.0.1:6379"])
def test_a_port_is_read_from_an_address_or_a_url(address: str) -> None:
    assert live.port_of(address) == 6379


async def test_services_that_do_not_serve_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"policy": True, "ranking": False}

    async def health(run: RunFile) -> dict[str, bool]:
        return states

    monkeypatch.setattr(live, "service_health", health)
    found = await live.health(RunFile(GONE), Path("/data/logs"))
    assert found.found == "not serving: ranking" and "restart ranking --data-dir /data" in found.mend
    states["ranking"] = True
    assert (await live.health(RunFile(GONE), Path("/data/logs"))).state is State.OK


async def test_services_that_nobody_answers_for_do_not_serve() -> None:
    nobody = {service.name: "127.0.0.1:1" for service in SERVICES if service.rpc}
    nobody |= {f"{service.name}.metrics": "127.0.0.1:1" for service in SERVICES if not service.rpc}
    found = await live.health(RunFile(GONE, addresses=nobody), Path("/data/logs"))
    assert found.state is State.BROKEN and all(service.name in found.found for service in SERVICES)
    assert "`tail -n 50 /data/logs/policy.log" in found.mend


async def test_the_clock_says_how_far_mesh_time_is_from_wall_time(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = MemoryBroker()

    class Kafka:
        @staticmethod
        @asynccontextmanager
        async def open(bootstrap: str, *, producer: str):  # type: ignore[no-untyped-def]
            if bootstrap == "away":
                raise LogUnavailable()
            yield MemoryEventLog(broker, producer=producer)

    monkeypatch.setattr(live, "KafkaEventLog", Kafka)
    run = RunFile(GONE, addresses={"kafka": "here"})
    assert "wall time" in (await live.clock(run, Path("/data/logs"))).found
    fact = ClockSet(cause="test")
    fact.offset.FromMilliseconds(-10 * 86_400_000)
    event = make_event(event_id("clock"), 0, FixedClock(0), "ingest", clock_set=fact)
    await MemoryEventLog(broker, producer="ingest").append(CONTROL, MESH_KEY, event, deadline=Deadline.after(5))
    assert "10.0 days before wall time" in (await live.clock(run, Path("/data/logs"))).found
    assert (await live.clock(replace(run, addresses={"kafka": "away"}), Path("/data/logs"))).state is State.BROKEN

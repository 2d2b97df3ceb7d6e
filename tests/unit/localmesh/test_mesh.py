from pathlib import Path

import pytest

from loopwright.faults import InvalidRequest
from loopwright.localmesh.embedded import EmbeddedServers
from loopwright.localmesh.failures import OutboxStranded
from loopwright.localmesh.mesh import new_layout, running_mesh, stages, stranded_outboxes
from loopwright.localmesh.run_file import read_run_file


def outbox(data_dir: Path, replica: str, waiting: bytes) -> None:
    folder = data_dir / "outbox" / replica
    folder.mkdir(parents=True)
    (folder / "outbox-1.log").write_bytes(waiting)


def test_every_process_has_ports_of_its_own(tmp_path: Path) -> None:
    layout = new_layout(tmp_path, EmbeddedServers(tmp_path), {"ranking": 3})
    ports = [*layout.rpc_ports.values(), *layout.metrics_ports.values(), layout.summary_port]
    assert len(set(ports)) == len(ports)
    assert set(layout.metrics_ports) == {instance.name for instance in layout.instances}
    assert set(layout.metrics_ports) - set(layout.rpc_ports) == {"projector", "monitor"}


def test_servers_start_before_topics_and_those_before_services(tmp_path: Path) -> None:
    servers = EmbeddedServers(tmp_path)
    found = [[one.name for one in stage] for stage in stages(servers, new_layout(tmp_path, servers, {"ranking": 2}))]
    assert found[:2] == [["kafka", "redis"], ["topics"]]
    assert {"ranking-0", "ranking-1", "policy"} <= set(found[2])


def test_an_outbox_nobody_would_empty_is_found(tmp_path: Path) -> None:
    assert stranded_outboxes(tmp_path) == []
    outbox(tmp_path, "exposure-0", b"waiting")
    outbox(tmp_path, "exposure-1", b"waiting")
    outbox(tmp_path, "exposure-2", b"")
    assert stranded_outboxes(tmp_path) == ["exposure-1"]
    assert stranded_outboxes(tmp_path, {"exposure": 2}) == []


async def test_what_cannot_be_run_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="runs alone"):
        async with running_mesh(tmp_path, replicas={"policy": 2}):
            pass
    with pytest.raises(InvalidRequest, match="nobody, ranking-1"):
        async with running_mesh(tmp_path, env={"nobody": {}, "ranking-1": {}, "ranking": {}, "*": {}}):
            pass
    outbox(tmp_path, "exposure-1", b"waiting")
    with pytest.raises(OutboxStranded, match="exposure-1"):
        async with running_mesh(tmp_path):
            pass
    assert read_run_file(tmp_path) is None and not (tmp_path / "logs").exists()

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.localmesh.fakes import FakeRunnable

from loopwright.localmesh.control import LocalMesh
from loopwright.localmesh.failures import UnknownProcess
from loopwright.localmesh.keeping import RestartPolicy
from loopwright.localmesh.supervisor import Supervisor
from loopwright.localmesh.topology import SERVERS, Layout, instances

REPLICAS = {"ranking": 2}
PATIENT = RestartPolicy(first_wait_s=3600.0, longest_wait_s=3600.0, look_every_s=0.01)


@pytest.fixture
async def made() -> AsyncIterator[tuple[LocalMesh, dict[str, FakeRunnable]]]:
    """A mesh of fakes with two rankers; a second restart in a row would be an hour away."""
    ours = [one.name for one in instances(REPLICAS)]
    fakes = {name: FakeRunnable(name, []) for name in (*SERVERS, *ours)}
    ports = dict.fromkeys(ours, 1)
    layout = Layout(Path("/mesh"), "k:1", "redis://r:2/0", ports, ports, 3, REPLICAS)
    servers = [fakes[name] for name in SERVERS]
    supervisor = Supervisor([servers, [fakes[name] for name in ours]], lambda records: None, PATIENT)
    await supervisor.start()
    watching = asyncio.create_task(supervisor.watch())
    async with asyncio.timeout(30):
        yield LocalMesh(layout, supervisor), fakes
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching


async def test_it_names_servers_and_every_replica(made: tuple[LocalMesh, dict[str, FakeRunnable]]) -> None:
    mesh, fakes = made
    assert set(mesh.names) == set(fakes) and mesh.names[:2] == ("kafka", "redis")
    assert mesh.replicas_of("ranking") == ("ranking-0", "ranking-1") and mesh.replicas_of("policy") == ("policy",)
    assert mesh.addresses() == mesh.layout.addresses() and mesh.data_dir == Path("/mesh")


async def test_what_nobody_is_called_is_refused(made: tuple[LocalMesh, dict[str, FakeRunnable]]) -> None:
    mesh, _ = made
    for name in ("ranking", "topics", "nobody"):
        with pytest.raises(UnknownProcess, match=name):
            await mesh.kill(name)
    with pytest.raises(UnknownProcess):
        mesh.replicas_of("kafka")


async def test_one_replica_is_killed_held_restarted_and_the_other_runs_on(
    made: tuple[LocalMesh, dict[str, FakeRunnable]],
) -> None:
    mesh, fakes = made
    await mesh.kill("ranking-0")
    await mesh.wait_ready("ranking-0")
    assert mesh.record("ranking-0").pid == 2
    await mesh.hold("ranking-0")
    assert mesh.held("ranking-0") and not await mesh.ready("ranking-0") and await mesh.ready("ranking-1")
    await mesh.release("ranking-0")
    assert (await mesh.restart("ranking-0")).by_itself
    assert (mesh.restarts("ranking-0"), mesh.unasked_ends("ranking-0")) == (3, 0)
    assert (mesh.restarts("ranking-1"), fakes["ranking-1"].starts) == (0, 1)


async def test_a_thawed_server_wakes_what_waits_to_start_again(
    made: tuple[LocalMesh, dict[str, FakeRunnable]],
) -> None:
    mesh, fakes = made
    mesh.freeze("kafka")
    assert mesh.frozen("kafka")
    fakes["projector"].refusals, fakes["projector"].exit_code = 1, 1
    while fakes["projector"].starts < 2:  # refused: the next try would be in an hour
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    mesh.thaw("kafka")
    await mesh.wait_ready("projector")
    assert not mesh.frozen("kafka") and mesh.unasked_ends("projector") == 1

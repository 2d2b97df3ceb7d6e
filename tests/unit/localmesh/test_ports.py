import socket
from pathlib import Path

from loopwright.localmesh.ports import LOOPBACK, free_ports, is_listening, server_range


def test_one_call_never_returns_a_port_twice() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50


def test_a_returned_port_can_be_bound() -> None:
    (port,) = free_ports(1)
    with socket.socket() as listener:
        listener.bind((LOOPBACK, port))


def test_ports_lie_below_those_of_outgoing_connections(tmp_path: Path) -> None:
    kernel = tmp_path / "range"
    kernel.write_text("32768\t60999\n")
    assert server_range(kernel) == range(15_000, 32_768)
    assert server_range(tmp_path / "absent") == range(15_000, 32_768)


def test_a_machine_that_gives_nearly_all_ports_to_connections_still_has_candidates(tmp_path: Path) -> None:
    kernel = tmp_path / "range"
    kernel.write_text("1024 65535")
    assert len(server_range(kernel)) >= 2_000


async def test_listening_is_seen_only_while_something_listens() -> None:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port = listener.getsockname()[1]
        assert not await is_listening(port)
        listener.listen()
        assert await is_listening(port)
    assert not await is_listening(port)

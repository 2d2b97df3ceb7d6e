import pytest

from loopwright.telemetry import server_attributes


@pytest.mark.parametrize(
    ("target", "address", "port"),
    [
        ("127.0.0.1:4317", "127.0.0.1", 4317),
        ("dns:///ranking.mesh:50051", "ranking.mesh", 50051),
        ("ipv4:10.0.0.1:1", "10.0.0.1", 1),
        ("[::1]:50051", "::1", 50051),
        ("ipv4:10.0.0.1:1,10.0.0.2:2", "ipv4:10.0.0.1:1,10.0.0.2:2", None),
        ("unix:/run/ranking.sock", "unix:/run/ranking.sock", None),
    ],
)
def test_one_address_is_split_and_a_group_stands_whole(target: str, address: str, port: int | None) -> None:
    found = server_attributes(target)
    assert found == {"server.address": address} | ({} if port is None else {"server.port": port})

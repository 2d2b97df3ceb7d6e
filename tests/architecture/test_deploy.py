from pathlib import Path

import pytest
import yaml

from loopwright.localmesh.topology import SERVICES, Instance, Layout, environment
from tests.architecture.source import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVERS = {"kafka", "valkey", "topics"}
NAMES = [service.name for service in SERVICES]
LAYOUT = Layout(Path("/x"), "kafka:1", "redis://r:2/0", dict.fromkeys(NAMES, 3), dict.fromkeys(NAMES, 4), 5)


def test_compose_runs_the_services_of_the_topology_and_no_others() -> None:
    assert set(COMPOSE["services"]) - SERVERS == set(NAMES)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_of_compose_has_the_settings_that_the_topology_gives_it(service) -> None:  # type: ignore[no-untyped-def]
    declared = COMPOSE["services"][service.name]
    arguments = declared["build"]["args"]
    assert f"loopwright.{arguments['SERVICE']}.{arguments.get('ENTRY', 'server')}" == service.module
    ours = {name for name in environment(Instance(service), LAYOUT) if name.startswith("LOOPWRIGHT_")}
    assert ours - set(declared["environment"]) == set()


def test_only_the_front_door_is_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert set(published) == {"recommender"}
    assert all(port.startswith("127.0.0.1:") for port in published["recommender"])


def test_no_secret_has_a_default() -> None:
    secrets = [
        value
        for service in COMPOSE["services"].values()
        for name, value in service.get("environment", {}).items()
        if name.endswith("_KEY")
    ]
    assert secrets
    assert all(":?" in value for value in secrets)

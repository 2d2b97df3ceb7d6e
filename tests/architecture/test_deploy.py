"""Compose, Kubernetes and Prometheus against the code: the same services, modules, ports, variables and image."""

import tomllib
from pathlib import Path

import pytest

from loopwright.localmesh.jars import KAFKA_VERSION
from loopwright.localmesh.topology import SERVICES, Instance, Layout, environment
from tests.architecture.source import ROOT
from tests.deploy.artefacts import (
    BASE,
    COMPOSE,
    FILLED_IN,
    LAYER,
    Deployed,
    container,
    document,
    in_compose,
    in_kubernetes,
    of_kind,
    settings_class,
    variable_names,
)

SERVERS = {"kafka", "valkey", "topics"}
WATCHERS = {"collector", "jaeger", "prometheus"}
JOBS = {"trainer"}
NAMES = [service.name for service in SERVICES]
PUBLIC = {"recommender", "exposure", "ingest"}
LAYOUT = Layout(Path("/x"), "kafka:1", "redis://r:2/0", dict.fromkeys(NAMES, 3), dict.fromkeys(NAMES, 4), 5)
DEPLOYED = [*in_compose().values(), *in_kubernetes().values()]
METRICS_PORT = 9464
each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
each_deployed = pytest.mark.parametrize("one", DEPLOYED, ids=lambda one: f"{one.file}:{one.name}")


def settings(one: Deployed, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Return what the process would make of its variables."""
    for name in variable_names(one.name):
        monkeypatch.delenv(name, raising=False)
    for name, value in one.variables.items():
        monkeypatch.setenv(name, value)
    return settings_class(one.name)()


def test_each_file_runs_the_services_of_the_topology_the_trainer_and_no_others() -> None:
    assert set(in_compose()) == set(in_kubernetes()) == {*NAMES, *JOBS}
    assert set(document(COMPOSE)["services"]) - SERVERS == {*NAMES, *JOBS}
    assert set(document(LAYER)["services"]) - WATCHERS == set(NAMES)


def test_the_base_lists_every_file_of_its_folder() -> None:
    assert {*document(BASE / "kustomization.yaml")["resources"], "kustomization.yaml"} == {
        path.name for path in BASE.iterdir()
    }


@each_service
def test_a_service_runs_the_module_of_the_topology(service) -> None:  # type: ignore[no-untyped-def]
    assert in_compose()[service.name].module == service.module


@each_service
def test_a_service_has_every_setting_that_the_topology_gives_it(service) -> None:  # type: ignore[no-untyped-def]
    ours = {name for name in environment(Instance(service), LAYOUT) if name.startswith("LOOPWRIGHT_")}
    assert ours - set(in_compose()[service.name].variables) == set()
    several = set() if service.alone else {f"LOOPWRIGHT_{service.name.upper()}_REPLICA"}
    assert ours | several <= set(in_kubernetes()[service.name].variables)


@each_deployed
def test_every_variable_is_a_setting_of_its_service(one: Deployed) -> None:
    assert set(one.variables) - variable_names(one.name) == set()


def test_every_variable_of_the_second_layer_is_a_setting_of_its_service() -> None:
    for name in NAMES:
        layer = document(LAYER)["services"][name]["environment"]
        assert set(layer) - variable_names(name) == set()
        assert layer[f"LOOPWRIGHT_{name.upper()}_TELEMETRY__OTLP_ENDPOINT"] == "http://collector:4317"


def test_a_misspelt_variable_is_seen() -> None:
    assert "LOOPWRIGHT_EXPOSURE_OUTBOX__MAX_BYTES" in variable_names("exposure")
    assert "LOOPWRIGHT_EXPOSURE_OUTBOX_MAX_BYTES" not in variable_names("exposure")


@each_deployed
def test_a_process_starts_with_its_variables_on_the_port_of_the_code(
    one: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = settings(one, monkeypatch)
    if hasattr(made, "rpc"):
        assert made.rpc.port == type(made).model_fields["rpc"].default.port
        assert made.rpc.host == "0.0.0.0" and made.rpc.allow_insecure


@pytest.mark.parametrize("service", ["recommender", "ingest", "exposure"])
def test_a_process_refuses_to_start_without_its_key(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = in_compose()[service]
    without = {name: value for name, value in one.variables.items() if not name.endswith("_KEY")}
    with pytest.raises(ValueError, match="development key is refused"):
        settings(Deployed(one.file, one.name, one.module, one.image, without), monkeypatch)


@each_deployed
def test_the_front_door_and_the_trainer_call_services_at_their_ports(
    one: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = {name: value for name, value in one.variables.items() if name.endswith("_TARGET")}
    assert bool(targets) == (one.name in {"recommender", "trainer"})
    for name, value in targets.items():
        leaf = name.removeprefix(f"LOOPWRIGHT_{one.name.upper()}_").removesuffix("_TARGET").lower()
        port = settings_class(leaf).model_fields["rpc"].default.port
        assert value.removeprefix("dns:///") == f"{leaf}:{port}"


@each_service
def test_a_pod_and_its_headless_service_open_the_ports_of_the_code(service) -> None:  # type: ignore[no-untyped-def]
    expected = {"metrics": METRICS_PORT}
    if service.rpc:
        expected["grpc"] = settings_class(service.name).model_fields["rpc"].default.port
    [workload] = [one for one in of_kind("Deployment", "StatefulSet") if one["metadata"]["name"] == service.name]
    [headless] = [one for one in of_kind("Service") if one["metadata"]["name"] == service.name]
    assert {port["name"]: port["containerPort"] for port in container(workload)["ports"]} == expected
    assert {port["name"]: port["port"] for port in headless["spec"]["ports"]} == expected
    assert headless["spec"]["clusterIP"] == "None"
    for deployed in (in_compose()[service.name], in_kubernetes()[service.name]):
        assert deployed.variables[f"LOOPWRIGHT_{service.name.upper()}_METRICS_PORT"] == str(METRICS_PORT)


def test_only_what_gateways_and_importers_call_is_published_and_only_on_loopback() -> None:
    published = {name: one["ports"] for name, one in document(COMPOSE)["services"].items() if "ports" in one}
    assert set(published) == PUBLIC
    for name, ports in published.items():
        port = settings_class(name).model_fields["rpc"].default.port
        assert ports == [f"127.0.0.1:{port}:{port}"]
    layer = [port for one in document(LAYER)["services"].values() for port in one.get("ports", [])]
    assert layer and all(port.startswith("127.0.0.1:") for port in layer)


def test_no_secret_has_a_default() -> None:
    compose = document(COMPOSE)["services"].values()
    secrets = [value for one in compose for name, value in one.get("environment", {}).items() if name.endswith("_KEY")]
    assert len(secrets) == 3
    assert all(":?" in value for value in secrets)
    cluster = [one for deployed in in_kubernetes().values() for one in deployed.variables.items()]
    assert {value for name, value in cluster if name.endswith("_KEY")} == {FILLED_IN}
    assert of_kind("Secret") == []


def test_every_file_runs_the_image_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {one.image for one in DEPLOYED} == {f"loopwright/{name}:{version}" for name in (*NAMES, *JOBS)}
    [topics] = of_kind("Job")
    assert container(topics)["image"] == f"loopwright/policy:{version}"


def test_compose_runs_the_kafka_that_a_local_mesh_runs() -> None:
    assert document(COMPOSE)["services"]["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_prometheus_scrapes_every_service_of_the_topology() -> None:
    [scraped] = document(ROOT / "deploy" / "prometheus" / "prometheus.yml")["scrape_configs"]
    [found] = scraped["dns_sd_configs"]
    assert sorted(found["names"]) == sorted(NAMES)
    assert found["port"] == METRICS_PORT

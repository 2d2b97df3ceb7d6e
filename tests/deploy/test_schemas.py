"""Every file of `deploy/` passes its schema, and copies with one thing wrong do not."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.artefacts import BASE, COMPOSE, DEPLOY, LAYER, container, document, manifests, of_kind, pod_spec
from tests.deploy.validation import SCHEMAS, collector_errors, errors, manifest_errors

FILES = {
    COMPOSE: "compose",
    LAYER: "compose",
    BASE / "kustomization.yaml": "kustomization",
    DEPLOY / "prometheus" / "prometheus.yml": "prometheus",
    DEPLOY / "prometheus" / "alerts.yml": "prometheus-rules",
}
COLLECTOR = DEPLOY / "otel" / "collector.yaml"
Change = Callable[[Any], None]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_passes_its_schema(path) -> None:  # type: ignore[no-untyped-def]
    assert errors(FILES[path], document(path)) == []


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_a_manifest_passes_the_schema_of_its_kind(manifest: dict[str, Any]) -> None:
    assert manifest_errors(manifest) == []


def test_the_collector_declares_what_its_pipelines_use_and_nothing_else() -> None:
    assert collector_errors(document(COLLECTOR)) == []


def test_every_yaml_file_is_held_against_something() -> None:
    checked = {*FILES, COLLECTOR, *BASE.glob("*.yaml")}
    declared_topics = DEPLOY / "kafka" / "topics.yaml"  # held against the table in the code
    assert {path for kind in ("*.yaml", "*.yml") for path in DEPLOY.rglob(kind)} - checked == {declared_topics}


@pytest.mark.parametrize("schema", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_schema_says_where_it_is_from(schema) -> None:  # type: ignore[no-untyped-def]
    assert f"`{schema.name}`" in (SCHEMAS / "README.md").read_text("utf-8")


def changed(content: Any, change: Change) -> Any:
    mutated = copy.deepcopy(content)
    change(mutated)
    return mutated


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (COMPOSE, lambda file: file["services"]["exposure"].update(read_onyl=True)),
        (COMPOSE, lambda file: file["services"]["exposure"].update(cap_drop="ALL")),
        (COMPOSE, lambda file: file["services"]["exposure"]["build"].update(arguments={})),
        (LAYER, lambda file: file["services"]["jaeger"].update(port=["1:1"])),
        (BASE / "kustomization.yaml", lambda file: file.update(resource=["x.yaml"])),
        (DEPLOY / "prometheus" / "prometheus.yml", lambda file: file["global"].update(scrape_intervall="15s")),
        (DEPLOY / "prometheus" / "prometheus.yml", lambda file: file["global"].update(scrape_interval="quarter")),
        (DEPLOY / "prometheus" / "alerts.yml", lambda file: file["groups"][0]["rules"][0].pop("expr")),
        (DEPLOY / "prometheus" / "alerts.yml", lambda file: file["groups"][0]["rules"][0].update(fro="1m")),
    ],
)
def test_a_file_with_one_thing_wrong_fails_its_schema(path, change: Change) -> None:  # type: ignore[no-untyped-def]
    assert errors(FILES[path], changed(document(path), change)) != []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Deployment", lambda one: one.update(apiVersion="apps/v1beta1")),
        ("Deployment", lambda one: one["spec"].update(replica=2)),
        ("Deployment", lambda one: container(one)["livenessProbe"].update(grcp={"port": 1})),
        ("Deployment", lambda one: container(one)["securityContext"].update(readOnlyRootFileSystem=True)),
        ("Deployment", lambda one: container(one)["env"].append({"value": "without a name"})),
        ("StatefulSet", lambda one: pod_spec(one).pop("containers")),
        ("StatefulSet", lambda one: one["spec"].update(minReadySeconds="two")),
        ("CronJob", lambda one: one["spec"].pop("schedule")),
        ("NetworkPolicy", lambda one: one["spec"].update(policyType=["Ingress"])),
        ("PodDisruptionBudget", lambda one: one["spec"].update(maxUnavailible=1)),
        ("Service", lambda one: one["spec"]["ports"][0].update(port="grpc")),
    ],
)
def test_a_manifest_with_one_thing_wrong_fails_its_schema(kind: str, change: Change) -> None:
    assert manifest_errors(changed(of_kind(kind)[0], change)) != []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file["exporters"].pop("otlp"), "used and not declared"),
        (lambda file: file["exporters"].update({"otlp/spare": {}}), "declared and not used"),
        (lambda file: file["processors"]["batch"].update(send_batch_sice=1), "unknown key"),
        (lambda file: file["processors"]["memory_limiter"].update(limit_mib="256"), "must be int"),
        (lambda file: file["service"]["pipelines"]["traces"].pop("exporters"), "needs receivers and exporters"),
        (lambda file: file["service"]["pipelines"]["traces"]["processors"].reverse(), "comes first"),
        (lambda file: file["service"]["pipelines"].update(trace={}), "no such signal"),
        (lambda file: file.update(exporter={}), "unknown section"),
        (lambda file: file["receivers"].update(otpl={}), "no such component"),
    ],
)
def test_a_collector_with_one_thing_wrong_is_refused(change: Change, said: str) -> None:
    assert any(said in error for error in collector_errors(changed(document(COLLECTOR), change)))

"""What the kustomize base promises: drained stops, a replica that is always there, restricted pods, a star of calls."""

from typing import Any

import pytest

from loopwright.eventlog import LogSettings, OutboxSettings
from loopwright.localmesh.topology import LEAVES, SERVICES
from loopwright.rpc import RECONNECTED_WITHIN_S, RpcSettings
from tests.deploy.artefacts import (
    FILLED_IN,
    container,
    in_kubernetes,
    manifests,
    of_kind,
    pod_labels,
    pod_spec,
    settings_class,
    variable_names,
)

WORKLOADS = of_kind("Deployment", "StatefulSet", "Job", "CronJob")
SERVED = {service.name for service in SERVICES if service.rpc}
ALONE = {service.name for service in SERVICES if service.alone}
CALLED_BY_BALANCERS = {"recommender", "exposure", "ingest"}
NAME, PART = "app.kubernetes.io/name", "app.kubernetes.io/part-of"
RESOLVED_WITHIN_S = 5
"""How long a cluster's name server may answer from its cache: CoreDNS's time to live."""

each_workload = pytest.mark.parametrize("one", WORKLOADS, ids=lambda one: one["metadata"]["name"])
each_served = pytest.mark.parametrize("name", sorted(SERVED))


def workload(name: str) -> dict[str, Any]:
    [found] = [one for one in WORKLOADS if one["metadata"]["name"] == name]
    return found


@each_workload
def test_a_pod_may_do_nothing_that_it_does_not_need(one: dict[str, Any]) -> None:
    pod, inner = pod_spec(one), container(one)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inner["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "tmp", "mountPath": "/tmp"} in inner["volumeMounts"]


@each_workload
def test_a_pod_asks_for_what_it_needs_and_its_memory_is_bounded(one: dict[str, Any]) -> None:
    resources = container(one)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]


@each_workload
def test_a_pod_mounts_only_volumes_that_exist(one: dict[str, Any]) -> None:
    volumes = {volume["name"]: volume for volume in pod_spec(one)["volumes"]}
    templates = {volume["metadata"]["name"] for volume in one["spec"].get("volumeClaimTemplates", [])}
    assert {mount["name"] for mount in container(one)["volumeMounts"]} == set(volumes) | templates
    claimed = {
        volume["persistentVolumeClaim"]["claimName"] for volume in volumes.values() if "persistentVolumeClaim" in volume
    }
    assert claimed <= {claim["metadata"]["name"] for claim in of_kind("PersistentVolumeClaim")}


@each_workload
def test_what_a_pod_refers_to_is_in_the_config_map_or_one_of_three_secrets(one: dict[str, Any]) -> None:
    [config] = of_kind("ConfigMap")
    for variable in container(one)["env"]:
        for source, reference in variable.get("valueFrom", {}).items():
            if source == "configMapKeyRef":
                assert reference["name"] == config["metadata"]["name"]
                assert reference["key"] in config["data"]
            elif source == "secretKeyRef":
                assert (reference["name"], reference["key"]) in {
                    ("loopwright", key) for key in ("redis_url", "subject_key", "token_key")
                }
            else:
                assert reference == {"fieldPath": "metadata.name"}


@each_workload
def test_a_pod_writes_only_where_a_volume_is(one: dict[str, Any]) -> None:
    mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in container(one)["volumeMounts"]}
    paths = {var["name"]: var["value"] for var in container(one)["env"] if var["name"].endswith("_PATH")}
    assert set(paths.values()) == set(mounts) - {"/tmp"}
    reads_only = one["metadata"]["name"] in {"retrieval", "ranking"}
    assert all(mounts[path] == reads_only for path in paths.values())


@each_served
def test_a_server_is_probed_by_grpc_at_the_start_for_traffic_and_for_life(name: str) -> None:
    inner = container(workload(name))
    port = settings_class(name).model_fields["rpc"].default.port
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert inner[probe]["grpc"] == {"port": port}
    patience = inner["startupProbe"]["periodSeconds"] * inner["startupProbe"]["failureThreshold"]
    assert patience > settings_class(name).model_fields["startup_timeout_s"].default


@pytest.mark.parametrize("name", sorted({service.name for service in SERVICES} - SERVED))
def test_a_consumer_is_probed_for_life_at_its_metrics(name: str) -> None:
    assert container(workload(name))["livenessProbe"]["httpGet"] == {"path": "/metrics", "port": "metrics"}


@each_served
def test_a_server_leaves_the_name_server_before_it_drains_and_has_time_for_both(name: str) -> None:
    one = workload(name)
    hidden_s = container(one)["lifecycle"]["preStop"]["sleep"]["seconds"]
    declared = in_kubernetes()[name].variables.get(f"LOOPWRIGHT_{name.upper()}_RPC__DRAIN_DELAY_S", "0")
    assert hidden_s > RESOLVED_WITHIN_S
    assert (float(declared) > 0) == (name in CALLED_BY_BALANCERS)
    closing_s = RpcSettings().grace_s + LogSettings().close_timeout_s
    assert pod_spec(one)["terminationGracePeriodSeconds"] > hidden_s + float(declared) + closing_s


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_roll_out_keeps_a_replica_that_callers_are_connected_to(service) -> None:  # type: ignore[no-untyped-def]
    spec = workload(service.name)["spec"]
    budgets = [one["spec"] for one in of_kind("PodDisruptionBudget") if one["metadata"]["name"] == service.name]
    if service.alone:
        assert spec["replicas"] == 1
        assert spec["strategy"] == {"type": "Recreate"}
        assert budgets == []  # it would keep a node from ever being emptied
        return
    assert spec["replicas"] >= 2
    assert spec["minReadySeconds"] >= RECONNECTED_WITHIN_S
    assert spec.get("strategy", {}).get("rollingUpdate", {"maxUnavailable": 0})["maxUnavailable"] == 0
    assert budgets == [{"maxUnavailable": 1, "selector": {"matchLabels": {NAME: service.name}}}]


def test_exposure_keeps_a_disk_under_its_own_name_that_holds_a_full_outbox() -> None:
    one = workload("exposure")
    assert one["kind"] == "StatefulSet"
    assert one["spec"]["serviceName"] == "exposure"
    [claim] = one["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"
    assert OutboxSettings().max_bytes < 2**30
    assert one["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert in_kubernetes()["exposure"].variables["LOOPWRIGHT_EXPOSURE_REPLICA"] == FILLED_IN


def test_selectors_find_the_pods_they_mean() -> None:
    for one in of_kind("Deployment", "StatefulSet"):
        name = one["metadata"]["name"]
        assert one["spec"]["selector"]["matchLabels"] == {NAME: name}
        assert pod_labels(one) == {NAME: name, PART: "loopwright"}
    for one in of_kind("Service"):
        assert one["spec"]["selector"] == {NAME: one["metadata"]["name"]}


def test_every_object_is_in_the_namespace_that_refuses_more_than_restricted_pods() -> None:
    [namespace] = of_kind("Namespace")
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert [one["metadata"]["name"] for one in manifests() if "namespace" in one["metadata"]] == []


# Network policies: what they allow, as pairs.


def selected(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Say whether a label selector takes a pod."""
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        one["operator"] == "In" and labels.get(one["key"]) in one["values"]
        for one in selector.get("matchExpressions", [])
    )


def allowed(
    direction: str, own: dict[str, str], peer: dict[str, str], port: int | str, *, policies: Any = None
) -> bool:
    """Say whether a pod may take from (`ingress`) or call (`egress`) another at a port."""
    side = {"ingress": "from", "egress": "to"}[direction]
    rules = [
        rule
        for policy in policies or of_kind("NetworkPolicy")
        if selected(policy["spec"]["podSelector"], own)
        for rule in policy["spec"].get(direction, [])
    ]
    return any(
        any(selected(one.get("podSelector", {}), peer) for one in rule[side])
        and port in [one["port"] for one in rule["ports"]]
        for rule in rules
    )


def ours(name: str) -> dict[str, str]:
    return {NAME: name, PART: "loopwright"}


OURS = sorted({service.name for service in SERVICES} | {"trainer"})


def test_nothing_is_allowed_that_is_not_written() -> None:
    [deny] = [one for one in of_kind("NetworkPolicy") if one["metadata"]["name"] == "default-deny"]
    assert deny["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in deny["spec"]
    assert all(selected(deny["spec"]["podSelector"], pod_labels(one)) for one in WORKLOADS)


@pytest.mark.parametrize("caller", OURS)
@pytest.mark.parametrize("called", sorted(SERVED))
def test_calls_are_a_star_around_the_recommender(caller: str, called: str) -> None:
    port = settings_class(called).model_fields["rpc"].default.port
    may = allowed("egress", ours(caller), ours(called), port) and allowed("ingress", ours(called), ours(caller), "grpc")
    assert may == ((caller == "recommender" and called in LEAVES) or (caller, called) == ("trainer", "policy"))


@pytest.mark.parametrize("name", OURS)
def test_only_those_who_have_a_store_reach_it_and_all_reach_the_log(name: str) -> None:
    assert allowed("egress", ours(name), {NAME: "kafka"}, 9092)
    has_store = f"LOOPWRIGHT_{name.upper()}_REDIS_URL" in variable_names(name)
    assert allowed("egress", ours(name), {NAME: "redis"}, 6379) == has_store


@pytest.mark.parametrize("called", sorted(SERVED))
def test_gateways_reach_the_public_services_and_operators_the_policies(called: str) -> None:
    gateway, operator, stranger = {"loopwright/role": "gateway"}, {"loopwright/role": "operator"}, {NAME: "stranger"}
    assert allowed("ingress", ours(called), gateway, "grpc") == (called in CALLED_BY_BALANCERS)
    assert allowed("ingress", ours(called), operator, "grpc") == (called == "policy")
    assert not allowed("ingress", ours(called), stranger, "grpc")


@pytest.mark.parametrize("name", OURS)
def test_prometheus_and_the_collector_are_reached(name: str) -> None:
    assert allowed("ingress", ours(name), {NAME: "prometheus"}, 9464)
    assert allowed("egress", ours(name), {NAME: "opentelemetry-collector"}, 4317)


def test_a_policy_that_opens_a_leaf_to_another_leaf_is_seen() -> None:
    careless = {
        "spec": {
            "podSelector": {},
            "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": "grpc"}]}],
            "egress": [],
        }
    }
    assert allowed("ingress", ours("ranking"), ours("retrieval"), "grpc", policies=[careless])

import re
from pathlib import Path

import pytest

from loopwright.exposure.config import ExposureSettings
from loopwright.faults import InvalidRequest
from loopwright.localmesh.topology import (
    SERVICES,
    Instance,
    Layout,
    environment,
    instance_names,
    instances,
    process_spec,
    service_name,
)
from loopwright.ranking.config import RankingSettings
from loopwright.recommender.config import RecommenderSettings

TWO = {"ranking": 2, "exposure": 2, "recommender": 2}


def layout(replicas: dict[str, int]) -> Layout:
    names = [one.name for one in instances(replicas)]
    rpc = [one.name for one in instances(replicas) if one.service.rpc]
    return Layout(
        Path("/mesh"), "k:1", "redis://r:2/0",
        {name: 100 + number for number, name in enumerate(rpc)},
        {name: 200 + number for number, name in enumerate(names)}, 300, replicas,
    )  # fmt: skip


def of(name: str, replicas: dict[str, int]) -> Instance:
    (found,) = [one for one in instances(replicas) if one.name == name]
    return found


def test_one_of_each_is_what_runs_unless_more_are_asked_for() -> None:
    assert [one.name for one in instances()] == [service.name for service in SERVICES]
    assert [one.name for one in instances({"ranking": 1})] == [one.name for one in instances()]


def test_several_replicas_are_numbered_processes_and_one_keeps_the_plain_name() -> None:
    names = [one.name for one in instances(TWO)]
    assert {"ranking-0", "ranking-1", "exposure-0", "exposure-1", "recommender-0", "recommender-1", "policy"} <= set(
        names
    )
    assert not {"ranking", "exposure", "recommender", "policy-0"} & set(names)
    assert len(names) == len(SERVICES) + 3


def test_a_replica_keeps_its_name_on_record_when_more_are_added() -> None:
    assert of("exposure", {}).replica == of("exposure-0", TWO).replica == "exposure-0"


@pytest.mark.parametrize(
    ("replicas", "told"),
    [
        ({"rankng": 2}, "rankng: is not a service; there may be several of retrieval, hydration, ranking"),
        ({"ranking": 0}, "ranking: must have 1 to 16"),
        ({"ranking": -1}, "ranking: must have 1 to 16"),
        ({"ranking": 17}, "ranking: must have 1 to 16"),
        ({"projector": 2}, "projector: runs alone: it folds every partition"),
        ({"policy": 2, "ingest": 2}, "policy: runs alone: .*; ingest: runs alone"),
    ],
)
def test_replicas_that_cannot_be_are_refused_with_the_reason(replicas: dict[str, int], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        instances(replicas)


def test_a_target_names_every_replica_and_a_process_only_itself() -> None:
    two = layout(TWO)
    assert two.target("policy") == f"127.0.0.1:{two.rpc_ports['policy']}"
    assert two.target("ranking-1") == f"127.0.0.1:{two.rpc_ports['ranking-1']}"
    assert two.target("ranking") == f"ipv4:{two.target('ranking-0')},{two.target('ranking-1')}"


def test_addresses_name_services_processes_and_their_metrics() -> None:
    two = layout(TWO)
    found = two.addresses()
    assert found["exposure"] == two.target("exposure") and found["exposure-1"] == two.target("exposure-1")
    assert found["exposure-1.metrics"] == two.metrics("exposure-1") and "exposure.metrics" not in found
    assert found["monitor.summary"] == "127.0.0.1:300" and "monitor" not in found
    one = layout({}).addresses()
    assert set(one) == {"kafka", "redis", "monitor.summary"} | {s.name for s in SERVICES if s.rpc} | {
        f"{s.name}.metrics" for s in SERVICES
    }


def test_the_processes_of_a_service_are_found_in_the_addresses() -> None:
    two, one = layout({**TWO, "ranking": 11}).addresses(), layout({}).addresses()
    by_name = {service.name: service for service in SERVICES}
    assert instance_names(by_name["ranking"], two) == [f"ranking-{n}" for n in range(11)]
    assert instance_names(by_name["exposure"], two) == ["exposure-0", "exposure-1"]
    assert [instance_names(service, one) for service in SERVICES] == [[service.name] for service in SERVICES]
    assert instance_names(by_name["monitor"], two) == ["monitor"]


def test_the_service_of_a_process_is_known_by_its_name() -> None:
    assert [service_name(name) for name in ("ranking", "ranking-1", "kafka")] == ["ranking", "ranking", "kafka"]


def test_replicas_have_names_ports_and_outboxes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    two = layout(TWO)
    found = [environment(of(f"exposure-{n}", TWO), two) for n in (0, 1)]
    for number, variables in enumerate(found):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            settings = ExposureSettings()
            assert settings.replica == f"exposure-{number}"
            assert settings.outbox_path == Path(f"/mesh/outbox/exposure-{number}")
            assert settings.rpc.port == two.rpc_ports[f"exposure-{number}"]


def test_one_replica_is_run_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = environment(of("exposure", {}), layout({}))
    assert "LOOPWRIGHT_EXPOSURE_REPLICA" not in variables
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ExposureSettings().replica == "exposure-0"
    assert ExposureSettings().outbox_path == Path("/mesh/outbox/exposure-0")


def test_the_front_door_calls_every_replica_of_a_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    two = layout(TWO)
    for name, value in environment(of("recommender-1", TWO), two).items():
        monkeypatch.setenv(name, value)
    assert RecommenderSettings().ranking_target == two.target("ranking")
    assert RecommenderSettings().policy_target == two.target("policy")


def test_extra_variables_win_over_ours_the_nearer_over_the_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "LOOPWRIGHT_RANKING_METRICS_PORT"
    extra = {"*": {name: "1", "ALL": "x"}, "ranking": {name: "2"}, "ranking-1": {name: "3"}}
    specs = {one.name: process_spec(one, layout(TWO), extra) for one in instances(TWO)}
    assert [specs[process].env[name] for process in ("policy", "ranking-0", "ranking-1")] == ["1", "2", "3"]
    assert all(spec.env["ALL"] == "x" for spec in specs.values())
    for variable, value in specs["ranking-1"].env.items():
        monkeypatch.setenv(variable, value)
    assert RankingSettings().metrics_port == 3


def test_every_process_has_its_own_log_file() -> None:
    specs = [process_spec(one, layout(TWO)) for one in instances(TWO)]
    assert len({spec.log_file for spec in specs}) == len(specs)
    assert all(re.fullmatch(r"[a-z]+(-\d)?\.log", spec.log_file.name) for spec in specs)

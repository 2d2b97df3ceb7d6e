from __future__ import annotations

from loopwright.telemetry import names


def test_every_stage_of_a_request_has_a_span() -> None:
    stages = ["recommend", "hydrate_user", "retrieve", "hydrate_items", "rank", "decide", "record"]
    assert set(stages) <= {entry.name for entry in names.SPANS}
    assert {"send {topic}", "process {topic}"} <= {entry.name for entry in names.SPANS}


def test_the_collections_hold_every_constant_of_the_module() -> None:
    constants = [value for name, value in vars(names).items() if name.isupper() and not name.startswith("_")]
    entries = [value for value in constants if hasattr(value, "meaning")]
    listed = [*names.SPANS, *names.ATTRIBUTES.values(), *names.METRICS]
    assert {id(entry) for entry in entries} == {id(entry) for entry in listed}


def test_metric_names_are_unique_and_every_entry_says_what_it_means() -> None:
    exposed = [metric.exposed_name for metric in names.METRICS]
    assert len(set(exposed)) == len(exposed)
    for entry in (*names.SPANS, *names.ATTRIBUTES.values(), *names.METRICS):
        assert len(entry.meaning) > 5, entry


def test_rpc_names_are_the_stable_conventions() -> None:
    from opentelemetry.semconv._incubating.attributes import rpc_attributes
    from opentelemetry.semconv._incubating.metrics import rpc_metrics

    assert names.RPC_SYSTEM_NAME.name == rpc_attributes.RPC_SYSTEM_NAME
    assert names.RPC_METHOD.name == rpc_attributes.RPC_METHOD
    assert names.RPC_RESPONSE_STATUS_CODE.name == rpc_attributes.RPC_RESPONSE_STATUS_CODE
    assert names.RPC_CLIENT_DURATION.name == rpc_metrics.RPC_CLIENT_CALL_DURATION
    assert names.RPC_SERVER_DURATION.name == rpc_metrics.RPC_SERVER_CALL_DURATION

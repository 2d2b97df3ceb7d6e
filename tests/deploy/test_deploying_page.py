"""docs/deploying.md names variables, services, ports and keys that exist."""

import re

from loopwright.localmesh.topology import SERVICES
from tests.architecture.source import ROOT
from tests.deploy.artefacts import container, of_kind, settings_class, variable_names

TEXT = (ROOT / "docs" / "deploying.md").read_text("utf-8")
NAMES = [*(service.name for service in SERVICES), "trainer"]


def test_every_variable_it_names_is_a_setting() -> None:
    named = set(re.findall(r"`((?:LOOPWRIGHT_)?[A-Z]+_[A-Z_]+)`", TEXT))
    ours = {name for service in (*NAMES, "simulator") for name in variable_names(service)}
    chosen_elsewhere = {"TRACES_ENDPOINT"}
    assert len(named) > 8
    unknown = {name for name in named if not any(one == name or one.endswith(f"_{name}") for one in ours)}
    assert unknown == chosen_elsewhere
    assert "${env:TRACES_ENDPOINT}" in (ROOT / "deploy" / "otel" / "collector.yaml").read_text("utf-8")


def test_it_builds_an_image_of_every_service() -> None:
    listed = re.findall(r"for s in ([a-z ]+); do", TEXT)
    assert sorted([*" ".join(listed).split(), "trainer"]) == sorted(NAMES)


def test_it_makes_every_key_of_the_secret_that_pods_refer_to() -> None:
    wanted = {
        variable["valueFrom"]["secretKeyRef"]["key"]
        for one in of_kind("Deployment", "StatefulSet", "CronJob", "Job")
        for variable in container(one)["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    assert set(re.findall(r"--from-literal=(\w+)=", TEXT)) == wanted


def test_the_ports_it_names_are_those_of_the_services() -> None:
    told = dict(re.findall(r"\b(recommender|exposure|ingest) \((\d{4})\)", TEXT))
    assert told == {
        name: str(settings_class(name).model_fields["rpc"].default.port)
        for name in ("recommender", "exposure", "ingest")
    }

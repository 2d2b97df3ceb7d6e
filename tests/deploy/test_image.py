"""The image: two stages, no compiler and no root in the last, hashed requirements, nothing to write at run time."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.deploy.artefacts import COMPOSE, container, dockerfile, document, in_compose, of_kind
from tests.deploy.environments import clean_variables, run

STEPS = dockerfile()
LAST = max(number for number, (instruction, _) in enumerate(STEPS) if instruction == "FROM")
BUILD, FINAL = STEPS[:LAST], STEPS[LAST:]


def arguments(steps: list[tuple[str, str]], instruction: str) -> list[str]:
    return [rest for name, rest in steps if name == instruction]


def test_it_has_two_stages_on_one_base_and_the_last_takes_only_the_environment() -> None:
    [built], [final] = arguments(BUILD, "FROM"), arguments(FINAL, "FROM")
    assert built.removesuffix(" AS build") == final
    assert arguments(FINAL, "COPY") == ["--from=build /venv /venv"]
    assert not any("apt-get" in step or "pip" in step for step in arguments(FINAL, "RUN"))


def test_it_runs_as_the_user_whose_id_kubernetes_gives_its_volumes() -> None:
    [user] = arguments(FINAL, "USER")
    [exposure] = [one for one in of_kind("StatefulSet") if one["metadata"]["name"] == "exposure"]
    security = exposure["spec"]["template"]["spec"]["securityContext"]
    assert user == f"{security['runAsUser']}:{security['runAsGroup']}"


def test_everything_it_installs_is_hashed() -> None:
    installs = [step for rest in arguments(BUILD, "RUN") for step in rest.split(" && ") if "install" in step]
    python = [step for step in installs if "pip install" in step]
    assert len(python) == 2
    assert all("--require-hashes" in step or "--no-deps" in step for step in python)
    assert any('scripts/sync_requirements.sh "${SERVICE}"' in rest for rest in arguments(BUILD, "RUN"))


def test_what_it_copies_is_there_and_not_ignored() -> None:
    ignored = set((ROOT / ".dockerignore").read_text("utf-8").split())
    copied = {source for rest in arguments(BUILD, "COPY") for source in rest.split()[:-1]}
    assert {"services", "shared", "pyproject.toml"} <= copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert {Path(source).parts[0] for source in copied} & ignored == set()


def test_what_it_copies_makes_the_same_wheel_as_the_whole_project(tmp_path: Path) -> None:
    context = tmp_path / "context"
    for source in {source for rest in arguments(BUILD, "COPY") for source in rest.split()[:-1]}:
        target = context / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    wheels = []
    for folder, out in ((ROOT, tmp_path / "whole"), (context, tmp_path / "copied")):
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, env=clean_variables(), cwd=folder)
        [built] = out.glob("*.whl")
        wheels.append(sorted(zipfile.ZipFile(built).namelist()))
    assert wheels[0] == wheels[1]
    assert any(name.endswith("bundle.schema.json") for name in wheels[1])


@pytest.mark.parametrize("name", ["retrieval", "projector", "trainer"])
def test_its_entry_point_runs_the_service_with_the_arguments_of_the_container(name: str, tmp_path: Path) -> None:
    [declared] = arguments(FINAL, "ENTRYPOINT")
    module = in_compose()[name].module
    told = tmp_path / "python"
    told.write_text('#!/bin/sh\necho "$@"\n', "utf-8")
    told.chmod(0o755)
    done = subprocess.run(
        [*json.loads(declared), "--promote", "two words"],
        env={"PATH": str(tmp_path), "LOOPWRIGHT_MODULE": module},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"-m {module} --promote two words\n"


def test_a_container_of_ours_has_a_read_only_root_and_no_rights() -> None:
    services = document(COMPOSE)["services"]
    for name in in_compose():
        assert services[name]["read_only"] is True
        assert services[name]["tmpfs"] == ["/tmp"]
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]


def test_the_folders_of_the_volumes_belong_to_its_user() -> None:
    [made] = [step for step in arguments(FINAL, "RUN") if "install --directory" in step]
    mounted = {
        mount["mountPath"]
        for one in of_kind("Deployment", "StatefulSet", "CronJob")
        for mount in container(one)["volumeMounts"]
    }
    assert mounted - {"/tmp"} <= set(made.split())
    services = document(COMPOSE)["services"]
    volumes = [volume for name in in_compose() for volume in services[name].get("volumes", [])]
    assert {volume.split(":")[1] for volume in volumes} <= set(made.split())

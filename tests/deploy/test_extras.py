"""Each service from its own extra, in an environment made from its lock: all import, the heaviest start and answer."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from loopwright.eventlog import ensure_topics
from loopwright.localmesh.ports import free_ports
from loopwright.localmesh.probes import serving
from loopwright.localmesh.process import ManagedProcess, ProcessSpec
from loopwright.localmesh.topology import SERVICES, Instance, Layout, environment
from tests.architecture.source import ROOT
from tests.deploy.environments import Environments, clean_variables, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MODULES = {
    **{service.name: service.module for service in SERVICES},
    "trainer": "loopwright.trainer.job",
    "simulator": "loopwright.simulator.job",
    "cli": "loopwright.cli.main",
}
HEAVIEST = ("retrieval", "ranking", "exposure")
"""The servers whose locks bring the most; heavier still is the trainer, which is a job."""

IMPORT_ALL = """
import importlib, importlib.util, json, pkgutil, sys
main = importlib.import_module(sys.argv[1])
package = importlib.import_module(sys.argv[1].rpartition(".")[0])
names = [one.name for one in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
torch = importlib.util.find_spec("torch") is not None
print(json.dumps({"imported": len(names), "torch": torch, "place": main.__file__}))
"""


@pytest.fixture(scope="module")
def environments() -> Iterator[Environments]:
    # Beside .venv, not in the system's temporary folder: hard links need the file system that uv's cache is on, where
    # set-up made .venv; a copy of torch takes 5 GB.
    (ROOT / ".cache").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="extras-", dir=ROOT / ".cache"))
    yield Environments(folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize("service", MODULES)
def test_a_service_imports_all_of_itself_from_its_extra_alone_and_only_the_trainer_finds_torch(
    service: str, environments: Environments, tmp_path: Path
) -> None:
    python = environments.python(service)
    said = json.loads(run(python, "-c", IMPORT_ALL, MODULES[service], env=clean_variables(), cwd=tmp_path))
    assert Path(said["place"]).is_relative_to(python.parents[1])
    assert said["imported"] > 3
    assert said["torch"] == (service == "trainer")


@pytest.fixture(scope="module")
def topic_prefix(kafka_bootstrap: str) -> str:
    prefix = f"extras-{uuid4().hex[:8]}."
    asyncio.run(ensure_topics(kafka_bootstrap, prefix=prefix))
    return prefix


@pytest.mark.integration
async def test_the_heaviest_servers_start_from_their_extras_and_answer_health(
    environments: Environments, kafka_bootstrap: str, redis_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    services = [service for service in SERVICES if service.name in HEAVIEST]
    ports = dict(zip(HEAVIEST, free_ports(len(HEAVIEST)), strict=True))
    layout = Layout(tmp_path, kafka_bootstrap, redis_url, ports, dict.fromkeys(HEAVIEST, 0), 0)
    (tmp_path / "models").mkdir()
    running = []
    for service in services:
        prefix = f"LOOPWRIGHT_{service.name.upper()}_"
        variables = environment(Instance(service), layout) | {f"{prefix}TOPIC_PREFIX": topic_prefix}
        running.append(
            ManagedProcess(
                ProcessSpec(
                    name=service.name,
                    command=(str(environments.python(service.name)), "-I", "-m", service.module),
                    cwd=tmp_path,
                    log_file=tmp_path / f"{service.name}.log",
                    env=variables,
                )
            )
        )
    try:
        for process in running:
            process.start()
        for process in running:
            await process.wait_ready(lambda name=process.spec.name: serving(layout.target(name)), within_s=90)  # type: ignore[misc]
    finally:
        stopped = [await process.stop(grace_s=15) for process in running]
    assert stopped == [True] * len(HEAVIEST)
    assert [process.exit_code for process in running] == [0] * len(HEAVIEST)


@pytest.mark.integration
def test_the_trainer_starts_from_its_extra_and_says_that_there_is_nothing_to_learn(
    environments: Environments, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    env = clean_variables(
        LOOPWRIGHT_TRAINER_KAFKA_BOOTSTRAP=kafka_bootstrap,
        LOOPWRIGHT_TRAINER_TOPIC_PREFIX=topic_prefix,
        LOOPWRIGHT_TRAINER_MODEL_STORE_PATH=str(tmp_path / "models"),
    )
    told = run(environments.python("trainer"), "-m", MODULES["trainer"], env=env, cwd=tmp_path, code=1)
    assert json.loads(told.splitlines()[-1])["reason"] == "NOTHING_TO_LEARN"

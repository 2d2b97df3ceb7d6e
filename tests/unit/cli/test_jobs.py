import asyncio
import os
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from rich.progress import Progress

from loopwright.cli.jobs import JobFailed, JobSpec, StepBars, Told, run_job


def job(folder: Path, body: str, *arguments: str) -> JobSpec:
    """Return a job whose module is this body."""
    (folder / "a_job.py").write_text(
        f"import json, os, sys, time\ndef tell(**line): print(json.dumps(line), flush=True)\n{body}"
    )
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return JobSpec("a_job", arguments, {"PYTHONPATH": path, "GIVEN": "to the job"}, folder / "logs" / "job.log")


async def test_the_result_is_returned_and_every_other_line_told_as_it_comes(tmp_path: Path) -> None:
    told: list[Told] = []
    body = (
        'tell(event="progress", step="one", done=1, total=2)\n'
        'tell(event="result", said=sys.argv[1:], given=os.environ["GIVEN"])'
    )
    result = await run_job(job(tmp_path, body, "--seed", "3"), told.append)
    assert (result["said"], result["given"]) == (["--seed", "3"], "to the job")
    assert told == [{"event": "progress", "step": "one", "done": 1, "total": 2}]


async def test_standard_error_goes_to_the_log(tmp_path: Path) -> None:
    spec = job(tmp_path, 'sys.stderr.write("a warning")\ntell(event="result")')
    await run_job(spec, lambda line: None)
    assert spec.log_file.read_text() == "a warning"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ('tell(event="fault", reason="LOG_UNAVAILABLE", message="no broker")\nsys.exit(1)', "no broker"),
        ("sys.exit(3)", "ended with 3"),
        ('tell(event="progress", step="one", done=1, total=2)', "no result"),
        ('tell(event="result")\nsys.exit(1)', "ended with 1"),
        ('print("not JSON")', "no JSON"),
        ("print([1])", "without an event"),
    ],
)
async def test_a_job_without_a_result_has_failed_and_says_why(tmp_path: Path, body: str, wanted: str) -> None:
    with pytest.raises(JobFailed, match=wanted):
        await run_job(job(tmp_path, body), lambda line: None)


async def test_a_job_that_is_no_longer_wanted_is_ended_with_what_it_spawned(tmp_path: Path) -> None:
    body = (
        "import subprocess\n"
        'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])\n'
        'tell(event="started", pids=[os.getpid(), child.pid])\n'
        "time.sleep(60)"
    )
    pids: list[int] = []
    running = asyncio.create_task(run_job(job(tmp_path, body), lambda line: pids.extend(line["pids"])))
    while not pids:
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for _ in range(200):
        if not any(map(lives, pids)):
            break
        await asyncio.sleep(0.02)
    assert not any(map(lives, pids))


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_line_longer_than_a_pipe_is_read_whole(tmp_path: Path) -> None:
    result = await run_job(job(tmp_path, 'tell(event="result", long="x" * 3_000_000)'), lambda line: None)
    assert len(result["long"]) == 3_000_000


def test_every_step_has_a_bar_in_percent() -> None:
    progress = Progress(console=Console(quiet=True))
    bars = StepBars(progress, "training")
    for line in (
        {"event": "progress", "step": "replay", "done": 1, "total": 4},
        {"event": "table", "title": "left alone"},
        {"event": "progress", "step": "replay", "done": 3, "total": 4},
        {"event": "progress", "step": "gate", "done": 0, "total": 0},
    ):
        bars(line)
    assert [(task.description, task.completed) for task in progress.tasks] == [
        ("training: replay", 75),
        ("training: gate", 100),
    ]

import json
import os
import subprocess
import sys

from loopwright.localmesh.ports import free_ports
from loopwright.trainer.job import THREADS


def test_a_fault_is_the_last_line_and_exit_code_one() -> None:
    (port,) = free_ports(1)
    settings = {"KAFKA_BOOTSTRAP": f"127.0.0.1:{port}", "STARTUP_TIMEOUT_S": "1"}
    env = os.environ | {f"LOOPWRIGHT_TRAINER_{name}": value for name, value in settings.items()}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    run = subprocess.run(
        [sys.executable, "-m", "loopwright.trainer.job", "--seed", "3"], env=env, capture_output=True, check=False
    )
    assert run.returncode == 1
    assert json.loads(run.stdout.splitlines()[-1])["reason"] == "LOG_UNAVAILABLE"


def test_the_job_settles_on_one_thread_whatever_it_inherits() -> None:
    code = "import os; from loopwright.trainer import job; print([os.environ[name] for name in job.THREADS])"
    env = os.environ | dict.fromkeys(THREADS, "2") | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "['1', '1', '1']"

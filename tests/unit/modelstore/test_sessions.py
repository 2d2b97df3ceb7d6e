"""What opening a session tells others; what sessions compute is tested with the models that they open."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.architecture.source import ROOT

IMPORT_PATH = os.pathsep.join(str(ROOT / portion) for portion in ("services", "shared"))
OPEN = """
import os
import onnx.helper as make
from loopwright.modelstore.sessions import OnnxGraph, Port
value = [make.make_tensor_value_info(name, 1, [1]) for name in "xy"]
graph = make.make_graph([make.make_node("Identity", ["x"], ["y"])], "graph", value[:1], value[1:])
model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=10)
port = lambda name: Port(name, "tensor(float)", (1,))
OnnxGraph("graph", model.SerializeToString(), [port("x")], [port("y")])
print(os.environ["ORT_DISABLE_TELEMETRY"])
"""


def opened(home: Path, chosen: dict[str, str]) -> str:
    """Open a session in a process that does not know that it is under test: there the runtime is silent anyhow."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": IMPORT_PATH} | chosen
    done = subprocess.run([sys.executable, "-c", OPEN], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_session_reports_to_nobody_and_keeps_no_id_in_the_home_folder(tmp_path: Path) -> None:
    assert opened(tmp_path, {}) == "1"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("choice", ["0", "1"])
def test_an_operator_may_choose_otherwise(choice: str, tmp_path: Path) -> None:
    assert opened(tmp_path, {"ORT_DISABLE_TELEMETRY": choice}) == choice

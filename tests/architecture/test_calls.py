import ast
import re

import pytest

from tests.architecture.source import ROOT, Module, modules, parsed

# Code whose outcome is recorded and derived again: the clock and the seed come in as arguments.
DETERMINISTIC = (
    "loopwright.domain", "loopwright.featurespec", "loopwright.bundle", "loopwright.mirror", "loopwright.policy",
    "loopwright.ranking", "loopwright.retrieval.sources",
)  # fmt: skip
# The faces of a service stand at its border: they may read a clock and pass it on.
BORDER = {"server", "servicer", "bootstrap", "config", "worker", "clients"}
CLOCKS = {
    "time.time", "time.time_ns", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
    "datetime.date.today",
}  # fmt: skip
LOADERS = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve")


def wall_clock_or_global_randomness(module: Module) -> list[str]:
    if not f"{module.name}.".startswith(tuple(f"{name}." for name in DETERMINISTIC)) or module.stem in BORDER:
        return []
    found = []
    for name, line in module.names():
        unseeded = name == "random" or name.startswith(("random.", "secrets.")) or name in {"os.urandom", "uuid.uuid4"}
        if name in CLOCKS or unseeded or re.fullmatch(r"numpy\.random\.(?!Generator|default_rng|PCG64|Philox).+", name):
            found.append(f"{module.name}:{line} uses {name}")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node).endswith("default_rng") and not (node.args or node.keywords):
            found.append(f"{module.name}:{node.lineno} draws from an unseeded generator")
    return found


def unsafe_loading(module: Module) -> list[str]:
    found = [f"{module.name} imports {name}" for name in module.imports() if name.partition(".")[0] in LOADERS]
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if _called(node) == "torch.load" and not _is_true(keywords.get("weights_only")):
            found.append(f"{module.name}:{node.lineno} calls torch.load without weights_only=True")
        if "allow_pickle" in keywords and not _is_false(keywords["allow_pickle"]):
            found.append(f"{module.name}:{node.lineno} allows pickle")
    return found


def bare_tasks(module: Module) -> list[str]:
    return [
        f"{module.name}:{node.lineno} starts a task that nobody keeps"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and _called(node.value) in {"asyncio.create_task", "asyncio.ensure_future"}
    ]


def swallowed_exceptions(module: Module) -> list[str]:
    return [
        f"{module.name}:{node.lineno} swallows an exception"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass) for line in node.body)
    ]


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def _is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


RULES = [wall_clock_or_global_randomness, unsafe_loading, bare_tasks, swallowed_exceptions]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_module_breaks_the_rule(rule) -> None:  # type: ignore[no-untyped-def]
    assert [breach for module in modules() for breach in rule(module)] == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (wall_clock_or_global_randomness, "import time\nx = time.time()"),
        (wall_clock_or_global_randomness, "from time import time as now\nx = now()"),
        (wall_clock_or_global_randomness, "from datetime import datetime\nx = datetime.now()"),
        (wall_clock_or_global_randomness, "import random\nx = random.random()"),
        (wall_clock_or_global_randomness, "import numpy as np\nx = np.random.rand(3)"),
        (wall_clock_or_global_randomness, "import numpy as np\nx = np.random.default_rng()"),
        (unsafe_loading, "import pickle"),
        (unsafe_loading, "from joblib import load"),
        (unsafe_loading, "import torch\ntorch.load('f')"),
        (unsafe_loading, "import torch\ntorch.load('f', weights_only=False)"),
        (unsafe_loading, "import numpy as np\nnp.load('f', allow_pickle=True)"),
        (bare_tasks, "import asyncio\nasyncio.create_task(f())"),
        (swallowed_exceptions, "try:\n    f()\nexcept ValueError:\n    pass"),
    ],
)
def test_the_rule_sees_a_breach(rule, text: str) -> None:  # type: ignore[no-untyped-def]
    assert rule(parsed(ROOT / "x.py", "loopwright.policy.stage", text)) != []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (wall_clock_or_global_randomness, "import numpy as np\nx = np.random.default_rng(seed)"),
        (wall_clock_or_global_randomness, "import time\nx = time.monotonic()"),
        (unsafe_loading, "import torch\ntorch.load('f', weights_only=True)"),
        (unsafe_loading, "import numpy as np\nnp.load('f', allow_pickle=False)"),
        (bare_tasks, "import asyncio\ntask = asyncio.create_task(f())"),
    ],
)
def test_the_rule_lets_the_right_form_pass(rule, text: str) -> None:  # type: ignore[no-untyped-def]
    assert rule(parsed(ROOT / "x.py", "loopwright.policy.stage", text)) == []

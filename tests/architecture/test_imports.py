import pytest

from tests.architecture.source import ROOT, SERVICES, SHARED, Module, in_room, modules, parsed

# Modules, or packages of a room, in which generated types may be named. Everything else works on domain objects.
PROTO_MODULES = {
    "convert",  # translates between messages and domain objects
    "servicer",  # receives and returns messages: parse, call, map, return
    "server",  # registers the servicer
    "bootstrap",  # builds stubs
    "clients",  # holds stubs
}
# Rooms that read the decoded `Event` and never keep it, or what is told about messages, with the only generated package
# they may name.
EVENT_READERS = {
    "loopwright.eventlog": "loopwright.api.",  # encodes and decodes the envelope, hands out the decoded `Event`
    "loopwright.featurespec": "loopwright.api.events.",  # folds
    "loopwright.trainer.labels": "loopwright.api.events.",
    "loopwright.rpc.rules": "loopwright.api.buf.validate.",  # the options in which rules stand
}

# Each layer may import what stands below it, never beside or above.
SHARED_LAYERS = (
    {"mirror", "pipeline"},
    {"bundle", "lifecycle", "modelstore"},
    {"eventlog", "featurespec", "store"},
    {"rpc"},
    {"telemetry"},
    {"pipeline.types"},  # the words of a stage: the bundle states them as numbers, folds compute them
    {"domain"},
    {"faults"},
    {"api"},
)


def layer_of(name: str) -> int:
    """Return how deep the layer of a dotted name lies; a layer may name one module of a room."""
    room, inner = in_room(name), ".".join(name.split(".")[1:3])
    exact = [depth for depth, layer in enumerate(SHARED_LAYERS) if inner in layer]
    return exact[0] if exact else next(depth for depth, layer in enumerate(SHARED_LAYERS) if room in layer)


def service_crossings(module: Module) -> list[str]:
    if module.room not in SERVICES or module.room == "localmesh":
        return []
    driven = {"localmesh"} if module.room == "cli" else set()
    others = set(SERVICES) - {module.room} - driven
    return [f"{module.name} imports {name}" for name in module.imports() if in_room(name) in others]


def layer_breaches(module: Module) -> list[str]:
    if module.room not in SHARED:
        return []
    found = []
    for name in module.imports():
        room = in_room(name)
        upward = bool(room) and room != module.room and room in SHARED and layer_of(name) <= layer_of(module.name)
        if room in SERVICES or upward:
            found.append(f"{module.name} imports {name}")
    return found


def stray_protos(module: Module) -> list[str]:
    if not PROTO_MODULES.isdisjoint(module.parts[1:]):
        return []
    readable = [api for room, api in EVENT_READERS.items() if f"{module.name}.".startswith(f"{room}.")]
    return [
        f"{module.name} imports {name}"
        for name in module.imports()
        if in_room(name) == "api" and not name.startswith(tuple(readable))
    ]


def torch_imports(module: Module) -> list[str]:
    heavy = {"torch", "onnx", "onnxscript"}
    return (
        []
        if module.room == "trainer"
        else [f"{module.name} imports {name}" for name in module.imports() if name.partition(".")[0] in heavy]
    )


RULES = [service_crossings, layer_breaches, stray_protos, torch_imports]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_module_breaks_the_rule(rule) -> None:  # type: ignore[no-untyped-def]
    assert [breach for module in modules() for breach in rule(module)] == []


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (service_crossings, "loopwright.policy.stage", "from loopwright.ranking.scores import Scores"),
        (service_crossings, "loopwright.cli.main", "def f():\n    import loopwright.trainer.worker"),
        (service_crossings, "loopwright.policy.stage", "from loopwright.localmesh import paths"),
        (layer_breaches, "loopwright.rpc.server", "from loopwright.eventlog import reader"),
        (layer_breaches, "loopwright.eventlog.reader", "from loopwright.featurespec import spec"),
        (layer_breaches, "loopwright.domain.ids", "from loopwright.policy import stage"),
        (stray_protos, "loopwright.policy.stage", "from loopwright.api.policy.v1 import policy_service_pb2"),
        (stray_protos, "loopwright.mirror.rows", "from loopwright.api.events.v1.event_pb2 import Event"),
        (stray_protos, "loopwright.featurespec.spec", "from loopwright.api.policy.v1 import policy_service_pb2"),
        (layer_breaches, "loopwright.pipeline.types", "from loopwright.bundle import PolicyBundle"),
        (torch_imports, "loopwright.ranking.session", "def f():\n    import torch.nn"),
    ],
)
def test_the_rule_sees_a_breach(rule, name: str, text: str) -> None:  # type: ignore[no-untyped-def]
    assert rule(parsed(ROOT / f"{name.replace('.', '/')}.py", name, text)) != []


def test_the_declared_rooms_are_the_folders() -> None:
    for portion, declared in (("services", SERVICES), ("shared", SHARED)):
        folders = {path.name for path in (ROOT / portion / "loopwright").iterdir() if any(path.glob("*.py"))}
        assert folders <= set(declared)
    assert {name.partition(".")[0] for layer in SHARED_LAYERS for name in layer} == set(SHARED)


def test_the_namespace_has_no_package_file() -> None:
    places = [ROOT / "services", ROOT / "shared", ROOT / "services/loopwright", ROOT / "shared/loopwright"]
    assert [place for place in places if (place / "__init__.py").exists()] == []


def test_every_folder_with_modules_is_a_package_with_a_docstring() -> None:
    import ast

    folders = {module.path.parent for module in modules()}
    packages = {module.path.parent for module in modules() if module.path.stem == "__init__"}
    assert folders - packages == set()
    assert [module.name for module in modules() if ast.get_docstring(module.tree) is None] == []

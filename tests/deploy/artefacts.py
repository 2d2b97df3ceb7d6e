"""The files of `deploy/` as tests read them: each process of ours in each of them, with its variables and ports."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_settings import BaseSettings

from tests.architecture.source import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
LAYER = DEPLOY / "compose" / "observability.yml"
BASE = DEPLOY / "k8s" / "base"
POD_SPECS = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
FILLED_IN = "filled-in-by-a-person"
"""Stands for what a file leaves to a Secret, a ConfigMap, the pod or the caller's environment."""


@cache
def document(path: Path) -> Any:
    """Return what a file holds; whoever changes it takes a copy."""
    return yaml.safe_load(path.read_text("utf-8"))


@cache
def manifests() -> list[dict[str, Any]]:
    """Return every object of the kustomize base, in the order of its list of resources."""
    resources = document(BASE / "kustomization.yaml")["resources"]
    return [one for name in resources for one in yaml.safe_load_all((BASE / name).read_text("utf-8"))]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [one for one in manifests() if one["kind"] in kinds]


def pod_spec(manifest: Mapping[str, Any]) -> dict[str, Any]:
    found: Any = manifest
    for key in POD_SPECS[manifest["kind"]]:
        found = found[key]
    return found  # type: ignore[no-any-return]


def pod_labels(manifest: Mapping[str, Any]) -> dict[str, str]:
    found: Any = manifest
    for key in POD_SPECS[manifest["kind"]][:-1]:
        found = found[key]
    return found["metadata"]["labels"]  # type: ignore[no-any-return]


def container(manifest: Mapping[str, Any]) -> dict[str, Any]:
    [only] = pod_spec(manifest)["containers"]
    return only  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Deployed:
    """One process of ours in one file.

    `variables` has `FILLED_IN` where the file leaves the value to somebody else.
    """

    file: str
    name: str
    module: str
    image: str
    variables: Mapping[str, str]


@cache
def in_compose(path: Path = COMPOSE) -> dict[str, Deployed]:
    return {
        name: Deployed(
            file=path.name,
            name=name,
            module=_module(declared["build"]["args"]),
            image=declared["image"],
            variables={key: _value(value) for key, value in declared["environment"].items()},
        )
        for name, declared in document(path)["services"].items()
        if "build" in declared and "entrypoint" not in declared
    }


@cache
def in_kubernetes() -> dict[str, Deployed]:
    entries = {name: declared.module for name, declared in in_compose().items()}
    found = {}
    for manifest in of_kind("Deployment", "StatefulSet", "CronJob"):
        name, declared = manifest["metadata"]["name"], container(manifest)
        variables = {one["name"]: one.get("value", FILLED_IN) for one in declared["env"]}
        # An image has one entry; compose says which, and both run the same image.
        found[name] = Deployed("deploy/k8s/base", name, entries[name], declared["image"], variables)
    return found


def _module(arguments: Mapping[str, str]) -> str:
    return f"loopwright.{arguments['SERVICE']}.{arguments.get('ENTRY', 'server')}"


def _value(declared: str) -> str:
    return FILLED_IN if declared.startswith("${") else declared


def settings_class(service: str) -> type[BaseSettings]:
    """Return the settings class of a service: the one in its `config` that has a prefix of its own."""
    module = importlib.import_module(f"loopwright.{service}.config")
    prefix = f"LOOPWRIGHT_{service.upper()}_"
    [found] = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, BaseSettings)
        and value.model_config.get("env_prefix") == prefix
    ]
    return found


def variable_names(service: str) -> set[str]:
    """Return every environment variable that the settings of a service read."""
    settings = settings_class(service)
    return set(_names(settings, str(settings.model_config["env_prefix"])))


def _names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name.upper()
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _names(inner, f"{prefix}{name.upper()}__")


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]

"""What a figure was measured on: CPU, memory, system, versions, load."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = (
    "grpcio", "protobuf", "aiokafka", "redis", "hiredis", "numpy", "onnxruntime", "hnswlib", "uvloop",
    "confluent-kafka",
)  # fmt: skip
"""Whose versions a figure depends on; one that is not installed is left out."""


def machine() -> str:
    """Return one line: CPU model and count, memory, kernel, Python and the packages' versions."""
    memory_gib = psutil.virtual_memory().total / 2**30
    parts = [
        f"{_cpu_model()}, {os.cpu_count()} CPUs, {memory_gib:.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name))),
    ]
    return "; ".join(parts)


def load() -> str:
    """Return the load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _cpu_model() -> str:
    found = Path("/proc/cpuinfo")
    lines = found.read_text("utf-8").splitlines() if found.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

"""What a model is: its kind, files, inputs and outputs; the hash of that is its version."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from loopwright.modelstore.rejections import ModelInvalid

VERSION_PATTERN = re.compile(r"[0-9a-f]{64}")
FILE_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,62}\.(onnx|npy|npz)")


class Kind(StrEnum):
    """What a model is for."""

    TWO_TOWER = "two_tower"
    PRE_RANKER = "pre_ranker"
    RANKER = "ranker"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model: name, hex sha256, size in bytes."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model's description.

    Attributes:
        model_version: hex sha256 of everything below but `details`.
        kind: what it is for.
        files: its files, by name.
        feature_groups: group versions of the columns it reads, in column order.
        signals: names of the retrieval signals it reads, in order.
        heads: names of its outputs, in order.
        details: how it came about (windows, metrics, seed, settings); JSON, not part of the version.
    """

    model_version: str
    kind: Kind
    files: tuple[ModelFile, ...]
    feature_groups: tuple[str, ...]
    signals: tuple[str, ...]
    heads: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Return the manifest as canonical JSON."""
        return canonical(
            {
                "model_version": self.model_version,
                "kind": self.kind.value,
                "files": [[f.name, f.sha256, f.size_bytes] for f in self.files],
                "feature_groups": list(self.feature_groups),
                "signals": list(self.signals),
                "heads": list(self.heads),
                "details": dict(self.details),
            }
        )

    @classmethod
    def from_json(cls, document: bytes) -> Manifest:
        """Return the manifest of a document.

        Raises:
            ModelInvalid: The document is no manifest, or names a file that is not a plain model file.
        """
        try:
            raw = json.loads(document)
            manifest = cls(
                model_version=str(raw["model_version"]),
                kind=Kind(raw["kind"]),
                files=tuple(ModelFile(str(n), str(h), int(size)) for n, h, size in raw["files"]),
                feature_groups=tuple(map(str, raw["feature_groups"])),
                signals=tuple(map(str, raw["signals"])),
                heads=tuple(map(str, raw["heads"])),
                details=dict(raw["details"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelInvalid("the model's manifest does not parse") from error
        for file in manifest.files:
            check_file_name(file.name)
        return manifest


def check_file_name(name: str) -> None:
    """Refuse anything but a plain lower-case file name of a known type.

    Raises:
        ModelInvalid: The name could leave the model's folder or hide a foreign format.
    """
    if FILE_PATTERN.fullmatch(name) is None:
        raise ModelInvalid("a model file's name must be like ranker.onnx, vocabulary.npy or golden.npz")


def canonical(value: Any) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def model_version(
    kind: Kind,
    files: Sequence[ModelFile],
    feature_groups: Sequence[str],
    signals: Sequence[str],
    heads: Sequence[str],
) -> str:
    """Return the hex sha256 over kind, files, feature groups, signals and heads."""
    identity = {
        "kind": kind.value,
        "files": sorted([f.name, f.sha256] for f in files),
        "feature_groups": list(feature_groups),
        "signals": list(signals),
        "heads": list(heads),
    }
    return hashlib.sha256(canonical(identity)).hexdigest()

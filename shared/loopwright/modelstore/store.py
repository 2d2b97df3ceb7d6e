"""A folder per model version: `put` writes it whole or not at all, `load` returns only what its hashes vouch for."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.faults import translate
from loopwright.modelstore.manifest import (
    VERSION_PATTERN,
    Kind,
    Manifest,
    ModelFile,
    check_file_name,
    model_version,
)
from loopwright.modelstore.rejections import ModelHashMismatch, ModelInvalid, ModelMissing

MANIFEST_NAME = "manifest.json"
MAX_MODEL_BYTES = 1 << 30
"""Largest model that is read into memory."""
MAX_MANIFEST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model whose every file has the hash that its version names."""

    manifest: Manifest
    files: Mapping[str, bytes]

    def file(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            ModelInvalid: The model lacks it.
        """
        if name not in self.files:
            raise ModelInvalid(f"the model has no {name}")
        return self.files[name]


class ModelStore:
    """Models under one folder; `<root>/<model_version>/` holds the files and `manifest.json`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, version: str) -> Path:
        """Return a version's folder.

        Raises:
            ModelInvalid: The version is not 64 lower-case hex digits.
        """
        if VERSION_PATTERN.fullmatch(version) is None:
            raise ModelInvalid("a model version is 64 lower-case hex digits")
        return self._root / version

    def versions(self) -> list[str]:
        """Return the versions that have a folder, sorted."""
        if not self._root.is_dir():
            return []
        return sorted(p.name for p in self._root.iterdir() if VERSION_PATTERN.fullmatch(p.name))

    def put(
        self,
        kind: Kind,
        files: Mapping[str, bytes],
        *,
        feature_groups: Sequence[str] = (),
        signals: Sequence[str] = (),
        heads: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
    ) -> Manifest:
        """Store a model and return its manifest; the folder appears in one rename, with everything flushed.

        Putting the same contents again changes nothing, except that a damaged folder is replaced.

        Raises:
            ModelInvalid: A file name is not allowed, or the model is too large.
        """
        for name in files:
            check_file_name(name)
        if sum(map(len, files.values())) > MAX_MODEL_BYTES:
            raise ModelInvalid(f"the model is larger than {MAX_MODEL_BYTES} bytes")
        described = tuple(
            ModelFile(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items())
        )
        version = model_version(kind, described, feature_groups, signals, heads)
        manifest = Manifest(
            version, kind, described, tuple(feature_groups), tuple(signals), tuple(heads), dict(details or {})
        )
        self._root.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=".put-", dir=self._root))
        try:
            for name, data in {**files, MANIFEST_NAME: manifest.to_json()}.items():
                _write(staged / name, data)
            staged.chmod(0o755)
            self._move_in(staged, version)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        _flush_folder(self._root)
        return manifest

    def manifest(self, version: str) -> Manifest:
        """Return a version's manifest, checked against the version.

        Raises:
            ModelMissing: There is no such model.
            ModelInvalid: The manifest does not parse.
            ModelHashMismatch: The manifest describes another model.
        """
        manifest = Manifest.from_json(_read(self.path(version) / MANIFEST_NAME, MAX_MANIFEST_BYTES))
        named = model_version(manifest.kind, manifest.files, manifest.feature_groups, manifest.signals, manifest.heads)
        if not named == manifest.model_version == version:
            raise ModelHashMismatch("the manifest is not that of its model version")
        return manifest

    def load(self, version: str) -> LoadedModel:
        """Return a model after checking the hash of every file.

        Raises:
            ModelMissing: The model or one of its files is not there.
            ModelInvalid: The manifest does not parse, or a file is a link or too large.
            ModelHashMismatch: A file's contents differ.
        """
        manifest = self.manifest(version)
        if sum(f.size_bytes for f in manifest.files) > MAX_MODEL_BYTES:
            raise ModelInvalid(f"the model is larger than {MAX_MODEL_BYTES} bytes")
        files: dict[str, bytes] = {}
        for file in manifest.files:
            data = _read(self.path(version) / file.name, MAX_MODEL_BYTES)
            if hashlib.sha256(data).hexdigest() != file.sha256:
                raise ModelHashMismatch(f"{file.name} does not have the contents that the version names")
            files[file.name] = data
        return LoadedModel(manifest, files)

    def _move_in(self, staged: Path, version: str) -> None:
        target = self.path(version)
        try:
            os.rename(staged, target)
        except OSError:
            if not target.is_dir():
                raise
            try:
                self.load(version)
            except (ModelMissing, ModelInvalid, ModelHashMismatch):
                shutil.rmtree(target)
                os.rename(staged, target)


def _read(path: Path, limit: int) -> bytes:
    with translate({FileNotFoundError: ModelMissing, NotADirectoryError: ModelMissing, OSError: ModelInvalid}):
        if path.is_symlink() or path.parent.is_symlink():
            raise ModelInvalid(f"{path.name} is a link")
        if path.stat().st_size > limit:
            raise ModelInvalid(f"{path.name} is larger than {limit} bytes")
        return path.read_bytes()


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    if os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A bundle feed and readiness reports without a log: what tests of leaves publish to and read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loopwright.bundle import PolicyBundle, policy_version


@dataclass(frozen=True)
class Published:
    version: str
    bundle: PolicyBundle


class FakeFeed:
    def __init__(self) -> None:
        self.published: list[Published] = []
        self._callbacks: list[Callable[[Any], None]] = []

    def on_published(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)
        for publication in self.published:
            callback(publication)

    def publish(self, bundle: PolicyBundle) -> str:
        publication = Published(policy_version(bundle), bundle)
        self.published.append(publication)
        for callback in self._callbacks:
            callback(publication)
        return publication.version


class FakeReadiness:
    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.reasons: dict[tuple[str, str], str] = {}

    async def loaded(self, kind: str, artefact: str) -> None:
        self.said.append(("loaded", kind, artefact))

    async def rejected(self, kind: str, artefact: str, reason: str) -> None:
        self.said.append(("rejected", kind, artefact))
        self.reasons[kind, artefact] = reason

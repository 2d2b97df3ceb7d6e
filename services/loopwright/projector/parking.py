"""Stopping the projector at exact offsets, so that a rebuilt namespace can be compared with the live one.

`<ns>park` holds the offsets asked for; `<ns>parked` says where the projector stands; removing `park` lets it go on.
Every request has a number of its own: one for the same offsets as the last is a new one, though the projector, which
looks from time to time, never saw the time between them.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass

from loopwright.eventlog import CATALOG, Offsets, offsets_from_json, offsets_to_json
from loopwright.projector import keys
from loopwright.projector.store import StateStore, Write
from loopwright.projector.user_stage import TOPICS

_UNSEEN = b"unseen"
SOURCES = (*TOPICS, CATALOG)
"""Topics that rows are made of, hence those whose offsets a parking is about."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Where the projector stands: `exact` when these are the offsets asked for, not later ones."""

    offsets: Offsets
    exact: bool


async def park(store: StateStore, offsets: Offsets) -> None:
    """Ask the projector to stop at these offsets of the source topics; at once in partitions that are past them."""
    request = {"request": secrets.token_hex(8), "offsets": offsets_to_json(offsets)}
    await store.delete(keys.PARKED)
    await store.commit([Write(values={keys.PARK: json.dumps(request).encode()})])


async def unpark(store: StateStore) -> None:
    """Let the projector go on."""
    await store.delete(keys.PARK)


async def parked(store: StateStore) -> Parked | None:
    """Return where the projector stands, None while it runs or has yet to answer the present request."""
    asked, raw = await store.values([keys.PARK, keys.PARKED])
    if raw is None:
        return None
    said = json.loads(raw)
    if asked is not None and json.loads(asked)["request"] != said["request"]:
        return None
    return Parked(offsets_from_json(said["offsets"]), bool(said["exact"]))


class ParkingLot:
    """The request as both stages see it, and where each of them stands."""

    def __init__(self, store: StateStore, stages: int) -> None:
        """Take the store of the request and the number of stages that must stand."""
        self._store, self._stages = store, stages
        self._asked: bytes | None = _UNSEEN
        self._standing: dict[str, Offsets] = {}
        self._told = False
        self._moved = asyncio.Event()
        self._number = ""
        self.request: Offsets | None = None

    async def see(self, raw: bytes | None) -> None:
        """Take the request as the store holds it; tell where the projector stands once all stages do."""
        if raw != self._asked:
            self._asked, self._standing, self._told = raw, {}, False
            asked = json.loads(raw) if raw else None
            self._number = asked["request"] if asked else ""
            self.request = offsets_from_json(asked["offsets"]) if asked else None
            self._moved.set()
            await self._store.delete(keys.PARKED)
        if self.request is not None and len(self._standing) == self._stages and not self._told:
            sources = {topic.name for topic in SOURCES}
            stand = {p: at for offsets in self._standing.values() for p, at in offsets.items() if p[0] in sources}
            exact = all(stand.get(place) == offset for place, offset in self.request.items())
            said = {"request": self._number, "offsets": offsets_to_json(stand), "exact": exact}
            await self._store.commit([Write(values={keys.PARKED: json.dumps(said).encode()})])
            self._told = True

    def forget(self) -> None:
        """Doubt who stands where: the request, once seen again, is a new one to every stage."""
        self._asked = _UNSEEN

    def stand(self, stage: str, position: Offsets) -> None:
        """Note that a stage has stopped at a position."""
        self._standing[stage] = position
        self._moved.set()

    async def changed(self, timeout_s: float) -> None:
        """Return after the next change of the request or of a stage, or after the timeout."""
        self._moved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._moved.wait()

    def stands(self, stage: str) -> bool:
        """Say whether a stage has stopped for the present request."""
        return stage in self._standing

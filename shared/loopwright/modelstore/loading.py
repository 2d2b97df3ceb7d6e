"""`BundleLoader`: published bundles in, what each pins loaded and reported; leaves ask it for a policy version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, Self, TypeVar

from loopwright.faults import BundleNotLoaded, Fault, Internal
from loopwright.telemetry import get_logger

_log = get_logger(__name__)
B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)
T = TypeVar("T")


class Publication(Protocol[B_co]):
    """A published bundle, as the bundle feed hands it out."""

    @property
    def version(self) -> str:
        """The policy version."""
        ...

    @property
    def bundle(self) -> B_co:
        """The bundle."""
        ...


class Feed(Protocol[B_co]):
    """Where publications come from."""

    def on_published(self, callback: Callable[[Publication[B_co]], None]) -> None:
        """Call back for each publication so far, then for each new one."""
        ...


class Readiness(Protocol):
    """Where a replica tells what it has loaded."""

    async def loaded(self, kind: str, artefact: str) -> None:
        """Report an artefact as loaded."""
        ...

    async def rejected(self, kind: str, artefact: str, reason: str) -> None:
        """Report an artefact as refused."""
        ...


class BundleLoader(Generic[B, T]):
    """Loads what each published bundle pins, one after the other, in a task that it owns.

    What was loaded stays loaded. A bundle that is refused is reported with its reason, and the others serve on.
    """

    def __init__(self, feed: Feed[B], readiness: Readiness, load: Callable[[B], Awaitable[T]]) -> None:
        """Describe the loader.

        Args:
            feed: The started bundle feed.
            readiness: Where bundles are reported as loaded or rejected.
            load: Loads what a bundle pins; raises a Fault to refuse it.
        """
        self._feed, self._readiness, self._load = feed, readiness, load
        self._loaded: dict[str, T] = {}
        self._refused: dict[str, str] = {}
        self._queue: asyncio.Queue[Publication[B] | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Load everything published so far, then go on in the background."""
        self._feed.on_published(self._queue.put_nowait)
        self._task = asyncio.create_task(self._follow(), name="bundle loader")
        settled = asyncio.create_task(self._queue.join(), name="bundle loader start")
        try:
            await asyncio.wait([settled, self._task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            settled.cancel()
        if self._task.done():
            await self._task
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop after the bundle in hand."""
        self._queue.put_nowait(None)
        if self._task is not None:
            await asyncio.wait([self._task])

    async def wait(self) -> None:
        """Return once stopped; raise what ended the loading otherwise."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def get(self, policy_version: str) -> T:
        """Return what was loaded for a bundle.

        Raises:
            BundleNotLoaded: The bundle is unknown here, still loading, or refused (the metadata says why).
        """
        if policy_version not in self._loaded:
            refused = self._refused.get(policy_version)
            metadata = {"policy_version": policy_version} | ({"cause": refused} if refused else {})
            raise BundleNotLoaded(metadata=metadata)
        return self._loaded[policy_version]

    def loaded(self) -> dict[str, T]:
        """Return everything loaded, by policy version."""
        return dict(self._loaded)

    async def withdraw(self, policy_version: str, fault: Fault) -> None:
        """Take a bundle out of service and report it as rejected; the others serve on."""
        if policy_version in self._loaded:
            del self._loaded[policy_version]
            await self._reject(policy_version, fault)

    async def _follow(self) -> None:
        while (publication := await self._queue.get()) is not None:
            try:
                await self._take(publication)
            finally:
                self._queue.task_done()

    async def _take(self, publication: Publication[B]) -> None:
        try:
            self._loaded[publication.version] = await self._load(publication.bundle)
        except Fault as fault:
            await self._reject(publication.version, fault)
        except Exception as error:  # a model may break its loader in ways that nobody foresaw; the others serve on
            _log.error("bundle not loaded", extra={"policy_version": publication.version}, exc_info=error)
            await self._reject(publication.version, Internal("the bundle could not be loaded"))
        else:
            self._refused.pop(publication.version, None)
            _log.info("bundle loaded", extra={"policy_version": publication.version})
            await self._readiness.loaded("bundle", publication.version)

    async def _reject(self, policy_version: str, fault: Fault) -> None:
        self._refused[policy_version] = fault.reason
        _log.warning("bundle refused", extra={"policy_version": policy_version, "reason": fault.reason})
        await self._readiness.rejected("bundle", policy_version, str(fault))

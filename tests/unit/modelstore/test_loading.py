import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from loopwright.faults import BundleNotLoaded
from loopwright.modelstore import ModelNotFinite
from loopwright.modelstore.loading import BundleLoader, Publication


@dataclass(frozen=True)
class Published:
    version: str
    bundle: str


class Feed:
    def __init__(self, *published: Published) -> None:
        self.published, self.callbacks = list(published), list[Callable[[Publication[str]], None]]()

    def on_published(self, callback: Callable[[Publication[str]], None]) -> None:
        self.callbacks.append(callback)
        for publication in self.published:
            callback(publication)

    def publish(self, publication: Published) -> None:
        for callback in self.callbacks:
            callback(publication)


class Reports:
    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []

    async def loaded(self, kind: str, artefact: str) -> None:
        self.said.append(("loaded", kind, artefact))

    async def rejected(self, kind: str, artefact: str, reason: str) -> None:
        self.said.append(("rejected", kind, artefact, reason))


async def load(bundle: str) -> str:
    await asyncio.sleep(0)
    if bundle == "nan":
        raise ModelNotFinite("it answers NaN")
    if bundle == "bug":
        raise RuntimeError("secret")
    return bundle.upper()


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
async def loader(reports: Reports) -> AsyncIterator[BundleLoader[str, str]]:
    feed = Feed(Published("1", "good"), Published("2", "nan"), Published("3", "bug"))
    async with BundleLoader(feed, reports, load) as loader:
        yield loader


async def test_everything_published_is_loaded_or_refused_before_it_serves(
    loader: BundleLoader[str, str], reports: Reports
) -> None:
    assert loader.loaded() == {"1": "GOOD"}
    assert reports.said == [
        ("loaded", "bundle", "1"),
        ("rejected", "bundle", "2", "MODEL_NOT_FINITE: it answers NaN"),
        ("rejected", "bundle", "3", "INTERNAL: the bundle could not be loaded"),
    ]


async def test_a_refused_bundle_is_not_loaded_and_says_why(loader: BundleLoader[str, str]) -> None:
    assert loader.get("1") == "GOOD"
    with pytest.raises(BundleNotLoaded) as refused:
        loader.get("2")
    assert refused.value.metadata == {"policy_version": "2", "cause": "MODEL_NOT_FINITE"}
    with pytest.raises(BundleNotLoaded) as unknown:
        loader.get("9")
    assert unknown.value.metadata == {"policy_version": "9"}


async def test_a_bundle_published_later_is_loaded_beside_the_older_ones(reports: Reports) -> None:
    feed = Feed(Published("1", "good"))
    async with BundleLoader(feed, reports, load) as loader:
        feed.publish(Published("4", "late"))
        while "4" not in loader.loaded():
            await asyncio.sleep(0)
        assert loader.get("1") == "GOOD" and loader.get("4") == "LATE"


async def test_a_withdrawn_bundle_is_rejected_once_and_the_others_serve_on(
    loader: BundleLoader[str, str], reports: Reports
) -> None:
    before = len(reports.said)
    await loader.withdraw("1", ModelNotFinite())
    await loader.withdraw("1", ModelNotFinite())
    assert len(reports.said) == before + 1
    with pytest.raises(BundleNotLoaded):
        loader.get("1")

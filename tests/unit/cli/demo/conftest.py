import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.recorded_decisions import ranked_bundle, recorded

from loopwright.cli.clients import Explained
from loopwright.cli.demo.scene import Options, Scene
from loopwright.localmesh.dataset import Dataset
from loopwright.modelstore import ModelStore

USERS = tuple(f"u{n}" for n in range(30))
ROWS_EACH = 20


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Thirty users with twenty rows each over forty items; every other rating is a like."""
    ratings, items = tmp_path / "ratings.csv", tmp_path / "items.csv"
    with ratings.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("user_id", "item_id", "rating", "timestamp"))
        for place in range(ROWS_EACH):
            writer.writerows((u, f"i{(place + n) % 40}", 5 - place % 2 * 2, 1000 + place) for n, u in enumerate(USERS))
    with items.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item_id", "title"))
        writer.writerows((f"i{n}", f"Title {n}") for n in range(40))
    return Dataset(ratings, items)


@pytest.fixture
def make_scene(tmp_path: Path, dataset: Dataset) -> Callable[..., Scene]:
    def make(**changes: object) -> Scene:
        folder = tmp_path / "demo"
        folder.mkdir(exist_ok=True)
        chosen = {"requests": 10, "users_share": 1.0, "seed": 1, "in_flight": 2, "proofs": 5, **changes}
        return Scene(Options(**chosen), folder, dataset)  # type: ignore[arg-type]

    return make


@pytest.fixture
def scene(make_scene: Callable[..., Scene]) -> Scene:
    return make_scene()


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Explained:
    """A full decision whose candidate in row r is named `item-<r>`."""
    store = ModelStore(Path(tmp_path_factory.mktemp("demo")) / "models")
    record, _ = recorded(store, ranked_bundle(store), 5)
    assert record.candidates is not None
    return Explained(record, tuple(f"item-{row}" for row in range(len(record.candidates))))

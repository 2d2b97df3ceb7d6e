from pathlib import Path

import pytest
from tests.recorded_decisions import ranked_bundle, recorded, recorded_fallback, synthetic_order

from loopwright.cli.clients import Explained
from loopwright.modelstore import ModelStore


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Explained:
    """A full decision whose candidate in row r is named `item-<r>`."""
    store = ModelStore(Path(tmp_path_factory.mktemp("explaining")) / "models")
    record, _ = recorded(store, ranked_bundle(store, constraints__creator_cap=2), 5)
    assert record.candidates is not None
    return Explained(record, tuple(f"item-{row}" for row in range(len(record.candidates))))


@pytest.fixture(scope="session")
def stood_in(tmp_path_factory: pytest.TempPathFactory) -> Explained:
    """A full decision that was served from the fallback order."""
    bundle = ranked_bundle(ModelStore(Path(tmp_path_factory.mktemp("fallback")) / "models"))
    record, _ = recorded_fallback(bundle, synthetic_order(bundle), 5)
    return Explained(record, synthetic_order(bundle).external_ids)

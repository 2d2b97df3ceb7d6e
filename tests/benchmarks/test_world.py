from pathlib import Path

import numpy as np
from benchmarks.serving.bundles import LARGE, SMALL, bundle
from benchmarks.serving.models import ITEM_GROUPS, USER_GROUPS, put_models
from benchmarks.serving.nets import (
    HEAVY,
    HEAVY_LAYERS,
    ITEM_COLUMNS,
    LIGHT,
    LIGHT_LAYERS,
    SEED,
    USER_COLUMNS,
    net,
)
from benchmarks.serving.world import World

from loopwright.cli.importing.rows import Reject, read_items, read_ratings
from loopwright.featurespec.groups import width
from loopwright.modelstore import ModelStore
from loopwright.modelstore.models import open_pre_ranker, open_ranker, open_two_tower


def small() -> World:
    return World(items=2000, users=20)


def test_a_seed_gives_one_world() -> None:
    one, other = small(), small()
    assert one.ratings() == other.ratings()
    assert np.array_equal(one.vectors, other.vectors)
    assert not np.array_equal(one.vectors, World(items=2000, users=20, seed=6).vectors)


def test_the_importer_takes_every_row(tmp_path: Path) -> None:
    world, rejects = small(), list[Reject]()
    ratings, items = world.write(tmp_path)
    assert (len(read_items(items, rejects)), len(read_ratings(ratings, rejects)), rejects) == (2000, 240, [])


def test_the_committed_nets_are_those_of_the_script() -> None:
    assert LIGHT.read_bytes() == net(LIGHT_LAYERS, SEED, scorer=True)
    assert HEAVY.read_bytes() == net(HEAVY_LAYERS, SEED + 1, scorer=False)


def test_the_nets_read_as_many_columns_as_the_policy_hydrates() -> None:
    assert (width(USER_GROUPS), width(ITEM_GROUPS)) == (USER_COLUMNS, ITEM_COLUMNS)


def test_the_models_pass_every_check_of_serving(tmp_path: Path) -> None:
    store, world = ModelStore(tmp_path), small()
    pins = put_models(store, world)
    groups = (*USER_GROUPS, *ITEM_GROUPS)
    ranker = open_ranker(store, pins["ranker"], groups)
    assert set(bundle(LARGE, pins).objective.weights) <= set(ranker.heads)
    assert open_pre_ranker(store, pins["pre_ranker"], groups).version == pins["pre_ranker"]
    tower = open_two_tower(store, pins["two_tower"])
    found = tower.embed_items(np.arange(1, 5), np.ones((4, tower.content_width), np.float32))
    assert np.allclose(found, world.vectors[:4])


def test_both_policies_keep_what_the_default_switches_on() -> None:
    for size in (LARGE, SMALL):
        made = bundle(size, {})
        assert (made.surface, made.retrieval.max_candidates) == (size.surface, size.candidates)
        assert made.retrieval.sources["two_tower"].quota == size.candidates
        assert (made.funnel.rate, made.exploration.explore_position, made.diversity.mmr_lambda) == (0.01, 5, 0.97)

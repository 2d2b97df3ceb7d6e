import numpy as np
from tests.trainer_world import RECIPE, catalogue, collected, rows

from loopwright.featurespec.history import Vocabulary
from loopwright.featurespec.tower_content import tower_content
from loopwright.trainer.labels.states import catalogue_table
from loopwright.trainer.learning.histories import histories
from loopwright.trainer.learning.tower_weights import TowerWeights
from loopwright.trainer.learning.towers import train_towers


def trained(users: int, items: int, each: int, seed: int = 1) -> tuple[TowerWeights, list[float]]:
    evidence = collected(catalogue(items), rows(users, items, each))
    table = catalogue_table(evidence.catalogue, evidence.actions.item_ids)
    found = histories(evidence.actions, evidence.users)
    vocabulary = Vocabulary(np.unique(found.item_ids))
    content = tower_content(table, table.rows_of(vocabulary.item_ids))
    return train_towers(found, vocabulary, content, RECIPE.towers, seed)


def test_training_lowers_the_loss_and_repeats_bit_by_bit() -> None:
    (one, losses), (two, _) = trained(40, 12, 8), trained(40, 12, 8)
    assert losses[-1] < losses[0]
    assert one.history_table.tobytes() == two.history_table.tobytes()
    assert one.user_2.tobytes() == two.user_2.tobytes()


def test_another_seed_gives_other_towers() -> None:
    assert trained(40, 12, 8, 1)[0].id_table.tobytes() != trained(40, 12, 8, 2)[0].id_table.tobytes()


def test_one_user_with_one_item_gives_finite_towers() -> None:
    towers, losses = trained(1, 1, 1)
    user = towers.embed_user(np.array([[0]]), np.array([[0.0]], np.float32))
    assert losses == []
    assert np.isfinite(user).all()


def test_unknown_items_have_the_content_part_alone() -> None:
    towers, _ = trained(10, 6, 4)
    content = np.ones((2, len(towers.content_1)), np.float32)
    known, unknown = towers.embed_items(np.array([1, 0]), content)
    assert np.allclose(known - unknown, towers.id_table[1], atol=1e-6)
    assert (towers.history_table[0] == 0).all()

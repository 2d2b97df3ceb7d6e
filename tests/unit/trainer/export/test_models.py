from pathlib import Path

import numpy as np
from tests.trainer_world import RECIPE, bundle, catalogue, collected, rows

from loopwright.bundle import with_models
from loopwright.featurespec.history import Engaged, tower_input
from loopwright.modelstore import ModelStore
from loopwright.trainer.export.models import export
from loopwright.trainer.fitting import fit
from loopwright.trainer.gate.scoring import open_models


def test_exported_models_pass_every_check_of_serving_and_say_what_was_learned(tmp_path: Path) -> None:
    evidence = collected(catalogue(15), rows(20, 15, 8))
    fitted = fit(evidence, bundle(), RECIPE, 1)
    exported = export(ModelStore(tmp_path), fitted.weights, bundle(), 1, {"seed": 1})
    models = open_models(ModelStore(tmp_path), with_models(bundle(), **exported.versions))
    towers = fitted.weights.towers
    ids = towers.vocabulary.item_ids[:3]
    engaged = Engaged(ids, np.array([True, False, True]), np.arange(3))
    codes, weights = tower_input(engaged, models.two_tower.vocabulary)
    assert np.allclose(models.two_tower.embed_user(codes, weights), towers.embed_user(codes, weights), atol=1e-5)
    assert exported.two_tower.details == {"seed": 1}
    assert sorted(exported.graphs) == ["item_tower.onnx", "pre_ranker.onnx", "ranker.onnx", "user_tower.onnx"]

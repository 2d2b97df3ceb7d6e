from pathlib import Path

import numpy as np
import pytest
from tests.trainer_world import RECIPE, bundle, catalogue, collected, rows

from loopwright.bundle import with_models, with_values
from loopwright.modelstore import ModelStore
from loopwright.pipeline.types import ScoreQuery
from loopwright.policy.slate.utility import utilities
from loopwright.ranking.ranker import scores_of
from loopwright.trainer.dataset.pseudo import past_of
from loopwright.trainer.export.models import export
from loopwright.trainer.fitting import fit
from loopwright.trainer.gate.scoring import Lists, open_models


@pytest.mark.parametrize("best_n", [5, 9, 200])
def test_lists_are_those_of_serving(tmp_path: Path, best_n: int) -> None:
    evidence = collected(catalogue(24), rows(20, 24, 9))
    fitted, store = fit(evidence, bundle(), RECIPE, 1), ModelStore(tmp_path)
    exported = export(store, fitted.weights, bundle(), 1, {})
    models = open_models(store, with_models(with_values(bundle(), {"ranking.best_n": best_n}), **exported.versions))
    past = past_of(evidence, ~evidence.actions.judge, evidence.views)
    lists = Lists(models, past.fold_into(fitted.table), fitted.stage1.graph, fitted.now_ms)
    for user in range(20):
        inputs = lists.inputs(past.state(user))
        query = ScoreQuery(
            "p", models.pre_ranker.version, models.ranker.version, models.ranker.feature_groups, inputs.item_ids,
            inputs.user_columns, inputs.item_columns, inputs.signals, models.bundle.ranking.position, best_n,
        )  # fmt: skip
        scores = scores_of(query, models.pre_ranker, models.ranker)
        utility, ids = utilities(models.bundle, scores.heads, scores.head_names), inputs.item_ids[scores.best]
        wanted = ids[np.lexsort((ids, -utility))][:10].tolist()
        assert lists.best(past.state(user), 10).tolist() == wanted
        assert len(wanted) == min(best_n, 10)
        barred = lists.best(past.state(user), 10, np.array(wanted[:1], np.uint64)).tolist()
        assert wanted[0] not in barred

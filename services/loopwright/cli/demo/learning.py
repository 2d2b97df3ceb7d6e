"""Steps that train: once on the imported past, once more on all that the log holds after the serving."""

from __future__ import annotations

from loopwright.cli.demo.scene import ACTOR, SURFACE, DemoFailed, Scene
from loopwright.cli.training import TrainingResult, document, result_table, run_training


async def train_first(scene: Scene) -> str:
    """Train on the past and promote; there is no incumbent, so the comparison has no verdict.

    Raises:
        DemoFailed: The other gates refused the models: the demo has nothing to serve.
    """
    trained = await _train(scene, "first_training")
    if not trained.promoted:
        raise DemoFailed(
            f"the first models were not promoted: {'; '.join(trained.gate.reasons) or trained.gate.verdict}"
        )
    return _finding(trained)


async def retrain(scene: Scene) -> str:
    """Train on the log as it is now, slates and all, and promote when the gate allows it; a refusal is an answer."""
    scene.training = await _train(scene, "retraining")
    return _finding(scene.training)


async def _train(scene: Scene, name: str) -> TrainingResult:
    trained = await run_training(
        scene.addresses,
        scene.folder,
        scene.progress,
        seed=scene.options.seed,
        promote=True,
        surface=SURFACE,
        actor=ACTOR,
    )
    scene.report.facts[name] = document(trained)
    scene.report.printed.append(result_table(trained))
    return trained


def _finding(trained: TrainingResult) -> str:
    state = f"promoted, policy {trained.policy_version[:12]}" if trained.promoted else "not promoted"
    return f"gate {trained.gate.verdict}, {state}"

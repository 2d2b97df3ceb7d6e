from typing import Any

import pytest

from loopwright.cli.demo import learning
from loopwright.cli.demo.learning import retrain, train_first
from loopwright.cli.demo.scene import DemoFailed, Scene
from loopwright.cli.training import Gate, TrainingResult


def trained(promoted: bool, verdict: str = "NO_VERDICT") -> TrainingResult:
    gate = Gate(verdict, ("the likes got fewer",) if not promoted else (), {"difference": -0.03})
    return TrainingResult({"ranker": "r" * 64}, {}, gate, promoted, "p" * 64 if promoted else "", {"fit": 1.0}, ())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    options: dict[str, Any] = {"result": trained(True)}

    async def run_training(addresses: object, folder: object, progress: object, **chosen: Any) -> TrainingResult:
        options.update(chosen)
        return options["result"]  # type: ignore[no-any-return]

    monkeypatch.setattr(learning, "run_training", run_training)
    return options


async def test_the_first_models_are_promoted_and_their_verdict_told(scene: Scene, asked: dict[str, Any]) -> None:
    assert "NO_VERDICT, promoted" in await train_first(scene)
    assert (asked["seed"], asked["promote"]) == (1, True)
    assert scene.report.facts["first_training"]["gate"]["verdict"] == "NO_VERDICT"
    assert len(scene.report.printed) == 1


async def test_without_first_models_there_is_no_demo(scene: Scene, asked: dict[str, Any]) -> None:
    asked["result"] = trained(False, "REFUSED")
    with pytest.raises(DemoFailed, match="the likes got fewer"):
        await train_first(scene)


async def test_a_refused_retraining_is_an_answer(scene: Scene, asked: dict[str, Any]) -> None:
    asked["result"] = trained(False, "REFUSED")
    assert await retrain(scene) == "gate REFUSED, not promoted"
    assert scene.report.facts["retraining"]["gate"]["figures"] == {"difference": -0.03}

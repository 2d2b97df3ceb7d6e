import numpy as np
from tests.unit.trainer.learning.test_ranker import made, world

from loopwright.trainer.learning.network import standard_logits
from loopwright.trainer.learning.pre_ranker import distill, untrained_pre_ranker
from loopwright.trainer.learning.ranker import untrained
from loopwright.trainer.learning.settings import RankerSettings


def test_the_student_follows_its_teacher() -> None:
    found, inputs = made(world(60, 20))
    teacher = np.minimum(found.signals[:, 0] - 1, 0).astype(np.float32)
    student, losses = distill(inputs, teacher, RankerSettings(pre_epochs=40, pre_batch=256), seed=1)
    got = standard_logits(student, inputs.take(np.arange(len(inputs))))[:, 0]
    assert np.corrcoef(got, teacher)[0, 1] > 0.95
    assert losses[-1] < losses[0]


def test_the_untrained_student_orders_as_the_untrained_teacher() -> None:
    teacher = untrained(12)
    student = untrained_pre_ranker(teacher, np.ones(2, np.float32))
    x = np.random.default_rng(0).normal(size=(9, 12)).astype(np.float32)
    order = np.argsort(standard_logits(teacher, x).sum(axis=1))
    assert np.argsort(standard_logits(student, x)[:, 0]).tolist() == order.tolist()

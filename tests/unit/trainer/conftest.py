import pytest

from loopwright.trainer.fitting import settle_torch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Train as the job does: torch on one thread, deterministic."""
    settle_torch()

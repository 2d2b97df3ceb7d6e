from collections.abc import Iterator

import pytest
import torch

from loopwright.trainer.fitting import settle_torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Train as the job does: torch on one thread, deterministic; other tests keep their small numbers."""
    settle_torch()
    yield
    torch.set_flush_denormal(False)

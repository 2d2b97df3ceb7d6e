"""The two towers in torch: histories and content in, `TowerWeights` out.

User: mean of content-aware history embeddings, then a residual network. Item: id embedding plus a network of content.
Inner product; softmax over items with logQ correction (Yi et al. 2019, "Sampling-bias-corrected neural modeling").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from loopwright.domain.vectors import F32
from loopwright.featurespec.history import Vocabulary
from loopwright.trainer.learning.histories import Histories
from loopwright.trainer.learning.settings import TowerSettings
from loopwright.trainer.learning.tower_batches import TowerBatch, TowerBatches
from loopwright.trainer.learning.tower_weights import NORM_FLOOR, TowerWeights

_SPREAD = 3**-0.5  # standard deviation of torch's default uniform initialisation, times sqrt of the inputs
_EMBEDDING_SPREAD = 0.05
_GRADIENT_NORM = 5.0
_LAST_RATE = 0.02  # share of the first step size that the last step has


class Towers(torch.nn.Module):
    """Both towers over a vocabulary of n items with W content columns."""

    def __init__(self, n: int, width: int, settings: TowerSettings, generator: torch.Generator) -> None:
        super().__init__()

        def normal(rows: int, columns: int, spread: float) -> torch.nn.Parameter:
            return torch.nn.Parameter(torch.randn(rows, columns, generator=generator) * spread)

        def layer(rows: int, columns: int) -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
            return normal(rows, columns, _SPREAD * rows**-0.5), torch.nn.Parameter(torch.zeros(columns))

        d = settings.dimension
        self.history, self.ids = normal(n, d, _EMBEDDING_SPREAD), normal(n, d, _EMBEDDING_SPREAD)
        self.user_1, self.user_bias_1 = layer(d, settings.hidden)
        self.user_2, self.user_bias_2 = layer(settings.hidden, d)
        self.content_1, self.content_bias_1 = layer(width, settings.content_hidden)
        self.content_2, self.content_bias_2 = layer(settings.content_hidden, d)

    def content(self, columns: Tensor) -> Tensor:
        """Return the content part of items [n, d]."""
        hidden = torch.tanh(columns @ self.content_1 + self.content_bias_1)
        return hidden @ self.content_2 + self.content_bias_2

    def user(self, weights: Tensor, table: Tensor) -> Tensor:
        """Return embeddings [b, d] of histories [b, n] over a table [n, d]."""
        norm = weights.square().sum(1, keepdim=True).sqrt() + NORM_FLOOR
        z = (weights / norm) @ table
        return z + torch.tanh(z @ self.user_1 + self.user_bias_1) @ self.user_2 + self.user_bias_2

    def loss(self, batch: TowerBatch, content: Tensor, l2: float) -> Tensor:
        """Return the batch's loss: weighted softmax over its items, plus the embeddings' squares."""
        history: Tensor = self.history
        ids: Tensor = self.ids
        if len(batch.items) < len(content):
            items = torch.from_numpy(batch.items)
            content, history, ids = content[items], history[items], ids[items]
        described = self.content(content)
        user = self.user(torch.from_numpy(batch.history), history + described)
        items_now = ids * torch.from_numpy(batch.with_id) + described
        logits = torch.addmm(torch.from_numpy(batch.offset), user, items_now.T)
        target = torch.from_numpy(batch.target)
        # -sum(target * log softmax), without the matrix of logarithms
        fit = (target.sum(1) * logits.logsumexp(1)).sum() - (target * logits).sum()
        fit = fit / len(batch.history)
        return fit + l2 * (history.square().sum() + ids.square().sum())


def train_towers(
    histories: Histories,
    vocabulary: Vocabulary,
    content: F32,
    settings: TowerSettings,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[TowerWeights, list[float]]:
    """Return trained towers and the mean loss of each tenth of the steps; untrained ones when nobody has two items.

    Args:
        histories: What users engaged with; every item is in the vocabulary.
        vocabulary: The items, in code order.
        content: float32 [V, W], `tower_content` of the vocabulary.
        settings: How to train.
        seed: Seeds everything random.
        progress: Told the share done.
    """
    generator = torch.Generator().manual_seed(seed)
    size = len(vocabulary)
    model = Towers(size, content.shape[1], settings, generator)
    batches = TowerBatches(histories, vocabulary.codes(histories.item_ids) - 1, size, settings, seed)
    columns = torch.from_numpy(content)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.rate, fused=True)
    losses: list[float] = []
    for step in range(batches.steps):
        loss = model.loss(batches.draw(), columns, settings.l2)
        optimizer.param_groups[0]["lr"] = settings.rate * (1 + _LAST_RATE - step / batches.steps)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), _GRADIENT_NORM)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 20 == 0:
            progress(step / batches.steps)
    tenths = [float(np.mean(part)) for part in np.array_split(losses, 10) if len(part)]
    return _weights(model, vocabulary, columns), tenths


def _weights(model: Towers, vocabulary: Vocabulary, content: Tensor) -> TowerWeights:
    with torch.no_grad():
        unknown = torch.zeros(1, model.ids.shape[1])
        history = torch.cat([unknown, model.history + model.content(content)])
        ids = torch.cat([unknown, model.ids])
    dense = (
        history, model.user_1, model.user_bias_1, model.user_2, model.user_bias_2,
        ids, model.content_1, model.content_bias_1, model.content_2, model.content_bias_2,
    )  # fmt: skip
    return TowerWeights(vocabulary, *(tensor.detach().numpy().copy() for tensor in dense))

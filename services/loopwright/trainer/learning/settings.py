"""The recipe's numbers, chosen on validation NDCG@10 of the `user80` split of MovieLens-100k; recorded in manifests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TowerSettings:
    """How the two towers are trained.

    Attributes:
        dimension: Width of the embeddings.
        hidden: Width of the user tower's hidden layer.
        content_hidden: Width of the item tower's hidden layer over content.
        target_power: Exponent of (1 + rows after the cut) by which later targets count less.
        unliked_target: Weight of a target that was engaged with and not liked.
        causal: Share of batches whose targets come after a cut in time; the others hold out rows at random.
        cut_low: Lowest share of a user's rows before such a cut.
        cut_high: Highest share.
        keep_random: Share of rows a random hold-out keeps as history.
        keep_causal: Share of rows before a cut that are kept as history.
        drop_history: Share of users trained with an empty history: new users.
        drop_id: Share of items per batch trained on content alone: new items.
        batch: Users a step.
        epochs: Passes over the users.
        min_steps: Fewest steps, for small logs.
        max_steps: Most steps, for large ones.
        rate: Adam's first step size; falls linearly to 0.
        l2: Weight of the embeddings' squares in the loss.
        full_softmax: Items up to which every item is a negative; above, this many are drawn a step.
    """

    dimension: int = 64
    hidden: int = 128
    content_hidden: int = 32
    target_power: float = 0.5
    unliked_target: float = 0.1
    causal: float = 0.7
    cut_low: float = 0.4
    cut_high: float = 0.97
    keep_random: float = 0.75
    keep_causal: float = 0.9
    drop_history: float = 0.03
    drop_id: float = 0.1
    batch: int = 128
    epochs: int = 45
    min_steps: int = 200
    max_steps: int = 1500
    rate: float = 6e-3
    l2: float = 3e-5
    full_softmax: int = 4096


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """How the ranker and the pre-ranker are trained.

    Attributes:
        hidden: Widths of each member's hidden layers.
        members: Networks whose logits are averaged.
        negatives: Candidates without a label that are drawn for a pseudo-decision.
        epochs: Passes over the decisions.
        batch: Decisions a step.
        rate: AdamW's first step size; falls linearly to 0.
        decay: AdamW's weight decay.
        dropout: Share of hidden units left out.
        list_weight: Weight of the softmax over a pseudo-decision's candidates.
        like_gain: Extra gain of liked rows in that softmax.
        satisfied_weight: Weight of the satisfied head's loss.
        pre_hidden: Width of the pre-ranker's hidden layer.
        pre_epochs: Passes over the rows when distilling.
        pre_batch: Rows a step when distilling.
        pre_rate: Its first step size.
    """

    hidden: tuple[int, ...] = (64, 32)
    members: int = 3
    negatives: int = 40
    epochs: int = 9
    batch: int = 32
    rate: float = 2e-3
    decay: float = 1e-3
    dropout: float = 0.2
    list_weight: float = 0.5
    like_gain: float = 1.0
    satisfied_weight: float = 0.3
    pre_hidden: int = 32
    pre_epochs: int = 4
    pre_batch: int = 1024
    pre_rate: float = 5e-3


@dataclass(frozen=True, slots=True)
class ExampleSettings:
    """How pseudo-decisions are made of organic rows, and which slate rows are old enough to teach.

    Attributes:
        cut: Share of a user's rows before the pseudo-decision.
        most_decisions: Pseudo-decisions at most; above, users are drawn.
        maturity_s: Seconds of mesh time from the first view of a slate's row to the window's newest event, below
            which the row teaches nothing: its action may still be under way. Time to look and click; the day for which
            tokens take feedback would keep a young mesh from learning of any slate.
    """

    cut: float = 0.8
    most_decisions: int = 2500
    maturity_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that shapes a training run beside the log, the bundle and the seed."""

    towers: TowerSettings = TowerSettings()
    rankers: RankerSettings = RankerSettings()
    examples: ExampleSettings = ExampleSettings()

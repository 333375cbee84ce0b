"""What regularizers do besides: dropout to batch norms, decay to norms and biases, augmentation to labels, batches to
statistics."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.transforms import Augmented


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One batch norm. ratio: variance of what it reads with units dropped over that with none, mean over channels."""

    layer: str
    ratio: float


class VarianceShift(Evidence, frozen=True, kw_only=True):
    """Every batch norm of a net with dropout of any kind, after `steps` steps, on the same batches and weights.

    dropped: what drops units, by its key or the name of the layer.
    """

    steps: int
    dropped: tuple[str, ...]
    shifts: tuple[Shift, ...]


class DecayBeside(Evidence, frozen=True, kw_only=True):
    """Parameters beside matrices and filters (norms, biases, embeddings) that the optimizer's own decay reaches.

    pull: |decay · parameters| over |gradient of the data loss| for these alone, least over a few batches; None where
    decay is decoupled. share: of them that decoupled decay takes away over the run.
    """

    names: tuple[str, ...]
    count: int
    decay: float
    pull: float | None
    share: float


class AugmentedItems(msgspec.Struct, frozen=True, kw_only=True):
    """One augmentation. used: it is configured, or was kept."""

    name: str
    used: bool
    found: Augmented


class TriedAugmentations(Evidence, frozen=True, kw_only=True):
    """What each augmentation that was tried, or is configured, leaves of labels."""

    augmentations: tuple[AugmentedItems, ...]


class BatchNoise(Evidence, frozen=True, kw_only=True):
    """How far a batch norm's statistics stray from batch to batch, by batch size, as a share of the layer's deviation.

    mean: root mean square of (batch mean − mean of all) / deviation, over channels, of the noisiest layer. Of each
    batch size: {size: (layer, mean, spread of the batch's deviation)}.
    """

    sizes: dict[str, tuple[str, float, float]]

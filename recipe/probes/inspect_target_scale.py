"""D10 for regression: the size of the numbers to be predicted, and whether a net will start there."""

from __future__ import annotations

import numpy as np

from recipe.data.data import Data
from recipe.record.evidence import CannotMeasure
from recipe.record.preprocessing import TargetScale

FRESH = 0.2
"""About how far the outputs of a fresh net spread; they start around nought."""
MOST = 64
"""Targets an item that are looked at."""


def measure_target_scale(data: Data, *, prior_bias: bool, given: bool) -> TargetScale:
    """prior_bias: init.prior_bias of the config; given: whether the user fixed it.

    CannotMeasure when targets are classes, or there are none.
    """
    if data.without_label:
        raise CannotMeasure(data.without_label)
    targets = data.train.targets
    values = targets.reshape(len(targets), -1)[:, :MOST].numpy()
    if data.classes is not None or bool(((values == 0) | (values == 1)).all()):
        raise CannotMeasure("targets are classes, not numbers")
    y = values.astype(np.float64)
    means, stds = y.mean(axis=0), y.std(axis=0)
    # With the prior in the bias, fresh outputs are around the mean, and scaled like the targets.
    before, after = FRESH**2 + means**2 + stds**2, (1 + FRESH**2) * stds**2
    return TargetScale(
        means=tuple(means.tolist()),
        stds=tuple(stds.tolist()),
        steps=tuple(np.spacing(np.abs(values).max(axis=0).astype(np.float32)).astype(float).tolist()),
        prior_bias=prior_bias,
        given=given,
        saved=float(1 - after.sum() / before.sum()),
    )

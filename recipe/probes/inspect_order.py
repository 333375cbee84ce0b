"""Whether the source's rows are sorted by label: harmless when shuffled, ruinous when not."""

from __future__ import annotations

import numpy as np

from recipe.data.data import Data
from recipe.intervals import wilson
from recipe.record.data import LabelOrder, ValSize
from recipe.record.evidence import CannotMeasure


def measure_label_order(data: Data, *, shuffled: bool) -> LabelOrder:
    """Share of neighbouring rows of train with equal labels, beside that of drawn ones."""
    if data.classes is None or data.train.targets.ndim > 1:
        raise CannotMeasure("there is not one class an item")
    order = np.argsort(data.train.rows.numpy(), kind="stable")
    labels = data.train.targets.numpy()[order]
    share = np.bincount(labels.astype(np.int64)) / len(labels)
    return LabelOrder(
        same=float((labels[1:] == labels[:-1]).mean()),
        expected=float((share**2).sum()),
        items=len(labels),
        shuffled=shuffled,
    )


def measure_val_size(data: Data) -> ValSize:
    """How exactly a result on val can be known: 0.9 right, as an interval over this many items."""
    found = wilson(0.9 * len(data.val), len(data.val))
    counted = None if data.without_label else len(data.classes) if data.classes else 2 if data.labelled else None
    return ValSize(items=len(data.val), half=(found.high - found.low) / 2, classes=counted)

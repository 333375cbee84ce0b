"""B11: the exact tensors just before the net, of train, augmented train and val, with their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recipe.data.pictures import sheet
from recipe.probes.probe import joined
from recipe.record.evidence import Shelf
from recipe.record.features import Sheet
from recipe.record.transforms import JustBefore, Reaches
from recipe.training.batch import Batch
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

ACROSS = 10
SHOWN = 12
"""Numbers of an item that a person reads, where there are no pictures."""


def show_just_before(ingredients: Ingredients, seed: int, shelf: Shelf) -> JustBefore:
    """Ten items of each kind as `model(x)` gets them."""
    batches = {
        "train": joined(list(ingredients.feed("train", seed=seed, plain=True, limit=ACROSS).in_order())),
        "val": joined(list(ingredients.feed("val", seed=seed, limit=ACROSS).in_order())),
    }
    if ingredients.config["data"]["train_transform"] or ingredients.regularizers.augment:
        batches["train, augmented"] = joined(list(ingredients.feed("train", seed=seed, limit=ACROSS).epoch(0)))
    reaches = tuple(_reaches(what, n, leaf) for what, b in batches.items() for n, leaf in enumerate(leaves(b.inputs)))
    first = next(leaves(batches["train"].inputs))
    if first.ndim == 4 and first.shape[1] <= 4 and all(len(list(leaves(b.inputs))) == 1 for b in batches.values()):
        return JustBefore(reaches=reaches, sheet=_sheet(ingredients, batches, shelf))
    return JustBefore(reaches=reaches, rows=_rows(ingredients, batches))


def _reaches(what: str, number: int, leaf: Tensor) -> Reaches:
    numbers = leaf.detach().double()
    strided = leaf.ndim == 4 and leaf.is_contiguous(memory_format=torch.channels_last) and not leaf.is_contiguous()
    return Reaches(
        what=what,
        leaf=f"input {number}" if number else "input",
        shape=tuple(leaf.shape),
        dtype=str(leaf.dtype).removeprefix("torch."),
        low=float(numbers.min()),
        high=float(numbers.max()),
        mean=float(numbers.mean()),
        std=float(numbers.std(correction=0)),
        layout="channels last" if strided else "contiguous" if leaf.is_contiguous() else "strided",
    )


def _label(ingredients: Ingredients, target: Tensor) -> str:
    classes = ingredients.data.classes
    if target.ndim == 0 and classes is not None:
        return classes[int(target)]
    return " ".join(f"{v:.4g}" for v in target.reshape(-1)[:6].tolist())


def _sheet(ingredients: Ingredients, batches: dict[str, Batch], shelf: Shelf) -> Sheet:
    """A row for each kind; all rows on one scale, from the smallest to the largest number that reaches the net."""
    low = min(float(next(leaves(b.inputs)).min()) for b in batches.values())
    high = max(float(next(leaves(b.inputs)).max()) for b in batches.values())
    pictures: list[np.ndarray | None] = []
    captions: list[str] = []
    for what, batch in batches.items():
        shown = [_picture(x, low, high) for x in next(leaves(batch.inputs))[:ACROSS]]
        labels = [f"{what}: {_label(ingredients, t)}" for t in batch.targets[:ACROSS]]
        pictures += [*shown, *[None] * (ACROSS - len(shown))]
        captions += [*labels, *[""] * (ACROSS - len(labels))]
    data, down = sheet(pictures, ACROSS)
    side = shelf.put_side("just_before.png", data)
    return Sheet(side=side, across=ACROSS, down=down, count=len(pictures), captions=tuple(captions))


def _picture(x: Tensor, low: float, high: float) -> np.ndarray:
    """uint8 (H, W, 3)."""
    scaled = ((x.detach().cpu().float().nan_to_num() - low) / max(high - low, 1e-12)).clamp(0, 1)
    picture = (scaled[:3] if x.shape[0] >= 3 else scaled[:1].expand(3, -1, -1)) * 255
    return np.ascontiguousarray(picture.round().to(torch.uint8).permute(1, 2, 0).numpy())


def _rows(ingredients: Ingredients, batches: dict[str, Batch]) -> tuple[tuple[str, ...], ...]:
    """(kind, label, numbers) of some items; tokens as the data's own decode has them."""
    rows = []
    for what, batch in batches.items():
        for k in range(min(4, len(batch.index))):
            parts = [leaf[k].reshape(-1)[:SHOWN].tolist() for leaf in leaves(batch.inputs)]
            told = "; ".join(" ".join(f"{v:.4g}" for v in part) for part in parts)
            rows.append((what, _label(ingredients, batch.targets[k]), told))
    return tuple(rows)

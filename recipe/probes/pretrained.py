"""What became of pretrained weights: how many found their place, and whether inputs are scaled as they expect."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import torch
from torch import nn

from recipe.models.initialise import final_layer
from recipe.models.pretrained import COLOURS, Told, fit_weights, watched_loading
from recipe.record.evidence import CannotMeasure
from recipe.record.pretrained import Pretrained, Scaling
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

SHOWN = 20
"""Names of tensors that are kept of each kind."""
FAINT = 64
"""Pictures of whole numbers that do not reach this brightness have a full of their own (digits: 16)."""


def measure_pretrained(ingredients: Ingredients) -> Pretrained:
    """Of model.pretrained, or of what the model's own code loads. CannotMeasure where there is neither."""
    weights = ingredients.weights
    bare = ingredients.changed({"model.pretrained": None, "model.trains": "all"})
    with watched_loading() as seen:
        model = bare.model(0)
    numbers = sum(p.numel() for p in model.parameters())
    last = final_layer(model, ingredients.num_outputs)
    head = sum(p.numel() for p in last.parameters()) if last is not None else 0
    if weights is None:
        if not seen:
            raise CannotMeasure("the net starts from fresh weights")
        return _by_own_code(model, seen, numbers, head)
    found = fit_weights(model, weights.state, ingredients.num_outputs)
    names = {name for name, _ in model.named_parameters()} & set(found.loaded)
    ends = _ends(ingredients)
    return Pretrained(
        source=weights.source,
        numbers=numbers,
        loaded=sum(p.numel() for name, p in model.named_parameters() if name in names),
        head=head,
        missing=found.missing[:SHOWN],
        unused=found.unused[:SHOWN],
        reshaped=found.reshaped[:SHOWN],
        theirs=None if weights.scaling is None or ends is None else _theirs(weights.scaling, *ends),
        ours=None if ends is None else ends[0],
        told_by=weights.told_by,
    )


def _by_own_code(model: nn.Module, seen: list[tuple[set[str], set[str]]], numbers: int, head: int) -> Pretrained:
    """The last state that it loaded, by names alone: shapes it would have stumbled over itself."""
    given, own = max(seen, key=lambda one: len(one[1]))
    there = {name: p.numel() for name, p in model.named_parameters()}
    loaded = sum(count for name, count in there.items() if any(name.endswith(one) for one in given & own))
    return Pretrained(
        source="the model's own code",
        numbers=numbers,
        loaded=loaded,
        head=head,
        missing=tuple(sorted(own - given)[:SHOWN]),
        unused=tuple(sorted(given - own)[:SHOWN]),
    )


def _ends(ingredients: Ingredients) -> tuple[Scaling, float] | None:
    """What black and full become here, and what full is in the data's numbers; None where inputs are no pictures."""
    data = ingredients.data
    shape = ingredients.input_shape
    if data.kind != "image" or not isinstance(shape, tuple) or len(shape) != 3:
        return None
    raw = next(leaves(data.train.sample(data.train.spread(256))))
    high = float(raw.max())
    full = 255.0 if raw.dtype == torch.uint8 and high > FAINT else high
    black, white = (data.preprocess(torch.full_like(raw[:1], value)).amax((0, 2, 3)).tolist() for value in (0, full))
    return Scaling(black=tuple(black), white=tuple(white), size=min(shape[1:])), full


def _theirs(told: Told, ours: Scaling, full: float) -> Scaling:
    bright = told.full if told.full is not None else full
    black, white = (
        tuple((value - a) / b for a, b in zip(told.shift, told.scale, strict=True)) for value in (0.0, bright)
    )
    if len(black) == COLOURS and len(ours.black) == 1:
        # Grey pictures meet the sum of the three filters (fit_weights), so the mean of three scalings.
        black, white = (fmean(black),), (fmean(white),)
    return Scaling(black=black, white=white, size=told.size)

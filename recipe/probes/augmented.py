"""What augmentation leaves to be learnt, and whether the label survives it: simple probes on plain and augmented items.

A label is lost where an augmented item has the neighbours of another class, and has them as near as items of one class
lie to each other: it does not merely look strange, it looks like the other class. An augmentation is too strong where
a probe that learns augmented items recognises hardly any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.intervals import wilson
from recipe.probes.probe import joined, rows_of, spread_rows
from recipe.record.evidence import CannotMeasure
from recipe.record.transforms import Augmented, LostClass
from recipe.simple_models import logistic_regression, vote_of_neighbours
from recipe.training.batch import Batch
from recipe.tree import Tree, leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

TRAIN, HELD_OUT, DRAWS = 2000, 500, 2
"""Items that probes learn from and are asked about; augmented ones are drawn twice."""
SIDE = 16
"""Pictures are averaged to this side: small enough for neighbours to mean something."""
NEAR = 0.95
"""Quantile of the distances between nearest items of one class within which a neighbour is near."""


def measure_augmented(ingredients: Ingredients, seed: int) -> Augmented:
    """Probes on held-out training items. CannotMeasure without augmentation, classes, or inputs that are numbers."""
    data = ingredients.data
    if not (ingredients.config["data"]["train_transform"] or ingredients.regularizers.augment):
        raise CannotMeasure("no augmentation is configured")
    one_class = CannotMeasure("whether labels survive can be told for one class an item only")
    if data.classes is None or data.train.targets.ndim > 1:
        raise one_class
    order = spread_rows(data.train.targets, min(len(data.train), TRAIN + HELD_OUT), seed)
    learnt, asked = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
    plain = [_plain(ingredients, seed, rows) for rows in (learnt, asked)]
    if plain[0].targets.ndim > 1:
        raise one_class  # the data have classes, and the task asks for something else
    draws = [[_drawn(ingredients, seed, rows, epoch) for epoch in range(DRAWS)] for rows in (learnt, asked)]
    x, others = (_flat(batch.inputs) for batch in plain)
    y, truth = (batch.targets.cpu().long() for batch in plain)
    if _flat(draws[0][0].inputs).shape[1] != x.shape[1]:
        raise CannotMeasure("augmented items have another shape than plain ones")
    many = torch.cat([_flat(batch.inputs) for batch in draws[0]])
    name, said, said_augmented = _best(x, y, others, truth, many, torch.cat([y] * DRAWS), _flat(draws[1][0].inputs))
    return Augmented(
        probe=name,
        items=len(truth),
        chance=float(torch.bincount(truth).max()) / len(truth),
        plain=wilson(int((said == truth).sum()), len(truth)),
        augmented=wilson(int((said_augmented == truth).sum()), len(truth)),
        lost=_lost(
            torch.cat([x, others]),
            torch.cat([y, truth]),
            [torch.cat([_flat(a.inputs), _flat(b.inputs)]) for a, b in zip(*draws, strict=True)],
            data.classes,
        ),
    )


def _plain(ingredients: Ingredients, seed: int, rows: Tensor) -> Batch:
    return joined(list(ingredients.feed("train", seed=seed, plain=True).subset(rows).in_order()))


def _drawn(ingredients: Ingredients, seed: int, rows: Tensor, epoch: int) -> Batch:
    """The items as training sees them in one epoch, in the order of `rows`."""
    batch = joined(list(ingredients.feed("train", seed=seed).subset(rows).epoch(epoch)))
    place = {int(index): k for k, index in enumerate(batch.index.tolist())}
    back = torch.tensor([place[int(row)] for row in rows.tolist()])
    return Batch(rows_of(batch.inputs, back), batch.targets[back.to(batch.targets.device)], batch.index[back])


def _flat(inputs: Tree) -> Tensor:
    """float32 (B, numbers), pictures averaged to SIDE. CannotMeasure for whole numbers: they are names, not sizes."""
    parts = []
    for leaf in leaves(inputs):
        if not leaf.is_floating_point():
            raise CannotMeasure("inputs are whole numbers, between which there is no distance")
        x = leaf.detach().cpu().float()
        if x.ndim == 4 and max(x.shape[2:]) > SIDE:
            x = F.adaptive_avg_pool2d(x, (min(SIDE, x.shape[2]), min(SIDE, x.shape[3])))
        parts.append(x.reshape(len(x), -1))
    return torch.cat(parts, dim=1)


def _best(
    x: Tensor, y: Tensor, others: Tensor, truth: Tensor, many: Tensor, labels: Tensor, asked: Tensor
) -> tuple[str, Tensor, Tensor]:
    """(probe, its answers on plain items, on augmented ones): each time the better of the two probes."""
    kinds = {"nearest neighbours": vote_of_neighbours, "logistic regression": logistic_regression}
    plain = {name: model(x, y, others) for name, model in kinds.items()}
    augmented = {name: model(many, labels, asked) for name, model in kinds.items()}
    best = max(kinds, key=lambda name: int((plain[name] == truth).sum()))
    after = max(kinds, key=lambda name: int((augmented[name] == truth).sum()))
    return (best if best == after else f"{best} / {after}"), plain[best], augmented[after]


def _lost(x: Tensor, y: Tensor, draws: list[Tensor], classes: tuple[str, ...]) -> tuple[LostClass, ...]:
    """By class, the most frequent other class that its augmented items look like, an item never being its own rival."""
    near = _own_distances(x, y).quantile(NEAR)
    before = _looks_like(x, y, x, near)
    seen = torch.stack([_looks_like(x, y, drawn, near) for drawn in draws])
    found = []
    for label in torch.unique(y).tolist():
        own = y == label
        known = own & (before == label)
        if int(known.sum()) < 5:
            continue
        said = seen[:, known].flatten()
        astray = said[(said >= 0) & (said != label)]
        if not len(astray):
            continue
        like = int(torch.bincount(astray).argmax())
        share = wilson(int((astray == like).sum()), len(said))
        plain = float((before[own] == like).float().mean())
        found.append(
            LostClass(label=classes[label], like=classes[like], share=share, plain=plain, items=int(known.sum()))
        )
    return tuple(sorted(found, key=lambda one: -one.share.mean))


def _own_distances(x: Tensor, y: Tensor) -> Tensor:
    """(N) from each item to the nearest other one of its class."""
    distance = torch.cdist(x, x)
    distance.fill_diagonal_(torch.inf)
    distance[y[:, None] != y[None, :]] = torch.inf
    nearest = distance.min(dim=1).values
    return nearest[nearest.isfinite()]


def _looks_like(x: Tensor, y: Tensor, others: Tensor, near: Tensor) -> Tensor:
    """(N) the class of the three items nearest to each of `others`, itself left out, if they agree and one is near."""
    distance = torch.cdist(others, x)
    distance.fill_diagonal_(torch.inf)
    nearest = distance.topk(3, largest=False)
    labels = y[nearest.indices]
    alike = (labels == labels[:, :1]).all(dim=1) & (nearest.values[:, 0] <= near)
    return torch.where(alike, labels[:, 0], -1)

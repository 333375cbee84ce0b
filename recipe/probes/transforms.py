"""Transforms as training applies them: fresh in every epoch and for every item, repeatable, and never in place."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from recipe.probes.probe import fingerprint, joined, rows_of
from recipe.record.evidence import CannotMeasure
from recipe.record.transforms import Sampling, Transforms
from recipe.training.batch import Batch
from recipe.training.feed import Feed
from recipe.tree import Tree, leaves

if TYPE_CHECKING:
    from recipe.data.data import Split
    from recipe.ingredients import Ingredients

SEEDERS: tuple[tuple[Any, str], ...] = (
    (np.random, "default_rng"),
    (np.random, "seed"),
    (random, "seed"),
    (torch, "manual_seed"),
)
"""What sets a seed, or makes a generator: called for each item, it draws the same numbers for each. No classes: those
are asked for with `isinstance`, too."""
EPOCHS = 3


def measure_transforms(ingredients: Ingredients, seed: int, *, items: int = 64) -> Transforms:
    """Fetches the first items of train in two epochs, plain and as configured. CannotMeasure without any transform."""
    data = ingredients.config["data"]
    train, val = _names(data["train_transform"]), _names(data["eval_transform"])
    train += tuple(type(t).__name__ for t in ingredients.regularizers.augment)
    if not train:
        raise CannotMeasure("nothing is configured to change training items: no train_transform, no augmentation")
    split = ingredients.data.train
    chosen = range(min(items, len(split)))
    before = _stored(split, chosen)
    with _listening() as called:
        first = _fetched(ingredients.feed("train", seed=seed).subset(chosen), 0)
    again = _fetched(ingredients.feed("train", seed=seed).subset(chosen), 0)
    later = _fetched(ingredients.feed("train", seed=seed).subset(chosen), 1)
    plain = joined(list(ingredients.feed("train", seed=seed, plain=True).subset(chosen).in_order()))
    if [leaf.shape for leaf in leaves(first.inputs)] != [leaf.shape for leaf in leaves(plain.inputs)]:
        changed = torch.ones(len(chosen), dtype=torch.bool)
    else:
        changed = _differ(first.inputs, plain.inputs)
    return Transforms(
        train=train,
        val=val,
        items=len(chosen),
        changed=float(changed.float().mean()),
        by_epoch=float(_differ(first.inputs, later.inputs)[changed].float().mean()) if bool(changed.any()) else 0.0,
        by_item=_by_item(ingredients, seed, len(chosen)),
        again=not bool(_differ(first.inputs, again.inputs).any()),
        reseeded=tuple(sorted(called)),
        stored_changed=before != _stored(split, chosen),
        like_val=not bool(changed.any()),
    )


def measure_sampling(ingredients: Ingredients, seed: int) -> Sampling:
    """The positions of the first epochs, as training draws them."""
    feed = ingredients.feed("train", seed=seed)
    seen = torch.zeros(len(ingredients.data.train), dtype=torch.int64)
    after = []
    for epoch in range(EPOCHS):
        for number in range(feed.steps_per_epoch):
            seen += torch.bincount(feed.indices_at(epoch * feed.steps_per_epoch + number), minlength=len(seen))
        after.append(int((seen > 0).sum()))
    train = ingredients.config["train"]
    return Sampling(
        sampler=str(train["sampler"]["_target_"]) if train["sampler"] else "",
        items=len(seen),
        drawn=feed.size,
        seen=tuple(after),
        most_often=int(seen.max()),
        shuffled=bool(train["shuffle"]),
    )


def _names(nodes: Any) -> tuple[str, ...]:
    listed = [] if nodes is None else nodes if isinstance(nodes, (list, tuple)) else [nodes]
    return tuple(str(node["_target_"]).rpartition(".")[2] for node in listed)


def _fetched(feed: Feed, epoch: int) -> Batch:
    """One epoch's items as one batch, in the order of their positions."""
    batch = joined(list(feed.epoch(epoch)))
    order = batch.index.argsort()
    return Batch(rows_of(batch.inputs, order), batch.targets[order.to(batch.targets.device)], batch.index[order])


def _differ(one: Tree, other: Tree) -> Tensor:
    """bool (B): items of which some number differs."""
    return torch.stack(
        [(a != b).reshape(len(a), -1).any(dim=1).cpu() for a, b in zip(leaves(one), leaves(other), strict=True)]
    ).any(dim=0)


def _stored(split: Split, chosen: range) -> str:
    return fingerprint(*leaves(split.sample(list(chosen))))


def _by_item(ingredients: Ingredients, seed: int, items: int) -> float | None:
    """Share of different results of one input that stands in `items` places; None for what is read item by item."""
    split = ingredients.data.train
    if split.streams:
        return None
    rows = torch.zeros(items, dtype=torch.int64)
    same = replace(split.take(rows), rows=torch.arange(items))
    fetched = _fetched(ingredients.feed_of(same, seed=seed, training=True, batch_size=items), 0)
    flat = torch.cat([leaf.reshape(items, -1).cpu().double() for leaf in leaves(fetched.inputs)], dim=1)
    return (len(torch.unique(flat, dim=0)) - 1) / max(1, items - 1)


@contextmanager
def _listening() -> Iterator[set[str]]:
    """What is called meanwhile of SEEDERS, by code outside recipe itself."""
    called: set[str] = set()
    with ExitStack() as stack:
        for module, name in SEEDERS:
            stack.enter_context(mock.patch.object(module, name, _noting(module, name, called)))
        yield called


def _noting(module: Any, name: str, called: set[str]) -> Callable[..., Any]:
    genuine = getattr(module, name)

    @wraps(genuine)
    def noted(*args: Any, **kwargs: Any) -> Any:
        asker = str(sys._getframe(1).f_globals.get("__name__", ""))
        if not asker.startswith(("recipe.training", "recipe.probes", "torch", "numpy")):
            called.add(f"{module.__name__}.{name}")
        return genuine(*args, **kwargs)

    return noted

"""What several probes start from. A probe measures one thing, or raises CannotMeasure (recipe.record.evidence)."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.tasks.task import distinct
from recipe.training.batch import Batch
from recipe.training.feed import Feed, feed_of
from recipe.training.loop import fit
from recipe.training.seeding import derive
from recipe.tree import Tree, leaves, map_tree

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.training.learner import Learner

DROPOUTS = nn.modules.dropout._DropoutNd
DROP_INSIDE = (nn.RNNBase, nn.MultiheadAttention)
"""Layers with a rate of their own, under the name `dropout`."""
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
BATCH_NORMS = nn.modules.batchnorm._BatchNorm
SMALL = 5e7
"""Operations an item below which a second thread costs more than it brings."""
GROUPS = 50
"""Targets with more different values than this are split at their median instead of value by value."""


def plain_learner(ingredients: Ingredients, seed: int) -> Learner:
    """A fresh learner with no regularizer at all: the model's own dropout layers are switched off too."""
    learner = ingredients.learner(seed, plain=True)
    silence(learner.model)
    for group in learner.optimizer.param_groups:
        if "weight_decay" in group:
            group["weight_decay"] = 0.0
    return learner


def silence(model: nn.Module) -> dict[str, float]:
    """Sets every dropout layer to 0; returns the rates they had, by name."""
    rates = dropout_rates(model)
    for name, module in model.named_modules():
        if name in rates:
            setattr(module, "p" if isinstance(module, DROPOUTS) else "dropout", 0.0)
    return rates


def dropout_rates(model: nn.Module) -> dict[str, float]:
    """The rates above 0, by the layer's name: of dropout layers, and of layers of torch's that drop inside."""
    found = {}
    for name, module in model.named_modules():
        rate = getattr(module, "p" if isinstance(module, DROPOUTS) else "dropout", 0.0)
        if isinstance(module, (DROPOUTS, *DROP_INSIDE)) and isinstance(rate, float | int) and rate > 0:
            found[name] = float(rate)
    return found


def sample(ingredients: Ingredients, split: str, items: int, *, seed: int = 0) -> Batch:
    """A seeded sample of a split as one batch, preprocessed as validation items are, without augmentation."""
    return joined(list(ingredients.feed(split, seed=seed, plain=True, limit=items).in_order()))


def joined(batches: list[Batch]) -> Batch:
    """Several batches as one."""
    columns = iter([torch.cat(column) for column in zip(*(leaves(batch.inputs) for batch in batches), strict=True)])
    inputs = map_tree(lambda _: next(columns), batches[0].inputs)
    return Batch(inputs, torch.cat([b.targets for b in batches]), torch.cat([b.index for b in batches]))


def take(batch: Batch, rows: Any) -> Batch:
    """Some rows of a batch."""
    index = torch.as_tensor(rows)
    return Batch(rows_of(batch.inputs, index), batch.targets[index.to(batch.targets.device)], batch.index[index])


def rows_of(inputs: Tree, index: Tensor) -> Tree:
    """Some rows of a tree of inputs."""
    return map_tree(lambda leaf: leaf[index.to(leaf.device)], inputs)


def size_of(inputs: Tree) -> int:
    """How many items there are."""
    return len(next(leaves(inputs)))


def copied(model: nn.Module) -> nn.Module:
    """A model of its own, whose recurrent layers have their weights in one piece of memory, as cuDNN wants them."""
    twin = copy.deepcopy(model)
    for module in twin.modules():
        if isinstance(module, nn.RNNBase):
            module.flatten_parameters()
    return twin


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """The model in evaluation mode; every module gets the mode back that it had."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    # cuDNN's recurrent layers have a backward pass in training mode only; torch's own have one in both.
    fast = torch.backends.cudnn.enabled
    if torch.is_grad_enabled() and any(isinstance(module, nn.RNNBase) for module in modes):
        torch.backends.cudnn.enabled = False
    try:
        yield model
    finally:
        torch.backends.cudnn.enabled = fast
        for module, mode in modes.items():
            module.training = mode


def outputs_of(model: nn.Module, inputs: Any, batch_size: int = 256) -> Tensor:
    """Outputs in evaluation mode without gradient, on the CPU."""
    with evaluating(model), torch.no_grad():
        parts = [model(rows_of(inputs, rows)) for rows in chunked(size_of(inputs), batch_size)]
    return torch.cat([part.detach().float().cpu() for part in parts])


def chunked(items: int, size: int) -> list[Tensor]:
    """Positions 0…items-1 in parts of `size`."""
    return [torch.arange(start, min(start + size, items)) for start in range(0, items, size)]


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Random numbers inside are those of the seed; outside they go on as if nothing had happened."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def fingerprint(*tensors: Tensor) -> str:
    """A short hash of the exact bytes."""
    digest = blake2b(digest_size=8)
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def norm(tensors: Iterator[Tensor] | list[Tensor]) -> float:
    """The L2 norm of all numbers together, in float64."""
    return math.sqrt(sum(float((t.detach().double() ** 2).sum()) for t in tensors))


def spread(targets: Tensor, items: int) -> Tensor:
    """Up to `items` targets in which every group is present."""
    return targets[spread_rows(targets, items, 0)]


def spread_rows(targets: Tensor, items: int, seed: int) -> Tensor:
    """Positions of `items` targets, drawn so that every group is present: groups take turns."""
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed))
    groups = [order[rows] for rows in groups_of(targets[order]).values()]
    turns = [rows[k] for k in range(max(map(len, groups))) for rows in groups if k < len(rows)]
    return torch.stack(turns[:items])


def groups_of(targets: Tensor) -> dict[str, Tensor]:
    """Rows by class; for many-valued targets the rows below and above the median of the first column that varies."""
    columns = targets.reshape(len(targets), -1)
    if columns.shape[1] == 1:
        flat = targets.reshape(-1)
        values = distinct(flat)
        if len(values) <= GROUPS and bool((values == values.round()).all()):
            return {f"{value:g}": (flat == value).nonzero()[:, 0] for value in values.tolist()}
    first = columns[:, int((columns != columns[:1]).any(dim=0).to(torch.uint8).argmax())]
    above = first > first.median() if targets.is_floating_point() and len(distinct(first)) > 2 else first > 0
    found = {"low": (~above).nonzero()[:, 0], "high": above.nonzero()[:, 0]}
    return {name: rows for name, rows in found.items() if len(rows)}


@dataclass(frozen=True)
class Items:
    """A batch as a split that a feed can be made of: already preprocessed, held in memory."""

    inputs: Tree
    targets: Tensor
    name: str = "sample"

    def __len__(self) -> int:
        return len(self.targets)

    def raw(self, index: int) -> tuple[Any, Any]:
        """(input, target) of one item."""
        return map_tree(lambda leaf: leaf[index], self.inputs), self.targets[index]


def feed_on(batch: Batch, *, batch_size: int, seed: int, device: torch.device) -> Feed:
    """Shuffled batches over items at hand."""
    items = Items(batch.inputs, batch.targets)
    return feed_of(items, batch_size=batch_size, seed=derive(seed, "order"), device=device, shuffle=True)


def operations(model: nn.Module, batch: Batch) -> float:
    """About how many multiplications and additions a forward pass takes, an item; a function of the model, not a clock.

    A module's weights are counted once for each position of its output (pixel or time step).
    """
    total = 0.0

    def count(module: nn.Module, _: Any, output: Any) -> None:
        nonlocal total
        made = output[0] if isinstance(output, (tuple, list)) else output
        # A table that is looked up in multiplies nothing.
        if isinstance(made, Tensor) and made.ndim > 1 and not isinstance(module, EMBEDDINGS):
            channels = made.shape[1] if made.ndim == 4 else made.shape[-1]
            weights = sum(p.numel() for p in module.parameters(recurse=False))
            total += 2 * weights * made[0].numel() / channels

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    outputs_of(model, take(batch, range(min(2, size_of(batch.inputs)))).inputs)
    for hook in hooks:
        hook.remove()
    return total


@contextmanager
def threads_for(cost: float, asked: int | str) -> Iterator[int]:
    """As many threads as pay for nets of this cost (operations an item): one for small ones, all for others."""
    before = torch.get_num_threads()
    chosen = asked if isinstance(asked, int) else 1 if cost < SMALL else before
    torch.set_num_threads(chosen)
    try:
        yield chosen
    finally:
        torch.set_num_threads(before)


def trainable(learner: Learner, batch: Batch) -> bool:
    """Whether the loss can be differentiated at all."""
    loss = learner.loss(learner.model(batch.inputs), batch.targets)
    return isinstance(loss, Tensor) and loss.requires_grad


def settled(ingredients: Ingredients, seed: int, steps: int = 10) -> nn.Module:
    """A model after a few steps, so that a last layer of zeros lets signals through; a fresh one if it diverges."""
    learner = plain_learner(ingredients, seed)
    fit(learner, ingredients.feed("train", seed=seed, plain=True), steps=steps, seed=derive(seed, "steps"))
    if all(bool(p.isfinite().all()) for p in learner.model.parameters()):
        return learner.model
    return plain_learner(ingredients, seed).model

"""What regularizers do besides: how dropout shifts the variance that a batch norm meets, what decay reaches beside the
weights, how noisy a batch norm's statistics are at a batch size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.probes.training_setup import DECOUPLED
from recipe.record.evidence import CannotMeasure
from recipe.record.side_effects import BatchNoise, DecayBeside, Shift, VarianceShift
from recipe.training.dropouts import BRANCHES
from recipe.training.evaluate import evaluating
from recipe.training.loop import fit
from recipe.training.optimizers import decayed_names

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.training.batch import Batch
    from recipe.training.learner import Learner

STEPS, BATCHES, NOISE_BATCHES = 50, 8, 32
"""Steps before a look; batches of the looks."""
KEYS = ("dropout", "dropout2d", "dropconnect", "stochastic_depth", "variational_dropout")
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
Read = dict[str, list[tuple[Tensor, Tensor]]]
"""By layer, (mean, variance) of each channel, a pair a batch."""


def measure_variance_shift(ingredients: Ingredients, *, seed: int) -> VarianceShift:
    """The variance before each batch norm with and without dropped units; all else is the same."""
    learner = ingredients.learner(seed)
    dropped = _dropped(ingredients, learner.model)
    norms = {name: m for name, m in learner.model.named_modules() if isinstance(m, NORMS)}
    if not dropped or not norms:
        raise CannotMeasure("no dropout" if not dropped else "no batch norm")
    feed = ingredients.feed("train", seed=seed, plain=True)
    steps = min(STEPS, ingredients.steps())
    fit(learner, feed, steps=steps, seed=seed, sample_every=0)
    batches = list(islice(feed.batches(), BATCHES))
    with_drops = _read(learner.model, norms, batches, dropping=True, seed=seed)
    without = _read(learner.model, norms, batches, dropping=False, seed=seed)
    shifts = [Shift(layer=name, ratio=_ratio(with_drops[name], without[name])) for name in norms if without[name]]
    return VarianceShift(steps=steps, dropped=tuple(dropped), shifts=tuple(shifts))


def measure_decay_beside(ingredients: Ingredients, *, seed: int, rates: Sequence[float]) -> DecayBeside:
    """What of the optimizer's own weight_decay falls on norms, biases and embeddings. rates: of every step."""
    learner = ingredients.learner(seed)
    matrices = decayed_names(learner.model)
    beside = {id(p): name for name, p in learner.model.named_parameters() if name not in matrices}
    reached: list[tuple[float, nn.Parameter]] = [
        (float(group["weight_decay"]), p)
        for group in learner.optimizer.param_groups
        if group.get("weight_decay")
        for p in group["params"]
        if id(p) in beside
    ]
    if not reached:
        raise CannotMeasure("no weight decay of the optimizer's own reaches norms or biases")
    decay = max(amount for amount, _ in reached)
    decoupled = type(learner.optimizer).__name__ in DECOUPLED
    return DecayBeside(
        names=tuple(beside[id(p)] for _, p in reached)[:20],
        count=len(reached),
        decay=decay,
        pull=None if decoupled else _pull(ingredients, learner, reached, seed),
        share=1 - math.exp(-decay * sum(rates)) if decoupled else 0.0,
    )


def measure_batch_noise(ingredients: Ingredients, *, seed: int, sizes: Sequence[int]) -> BatchNoise:
    """The statistics that batch norms would normalize by, over batches of each size, after a short training."""
    learner = ingredients.learner(seed)
    norms = {name: m for name, m in learner.model.named_modules() if isinstance(m, NORMS)}
    if not norms:
        raise CannotMeasure("no batch norm")
    fit(learner, ingredients.feed("train", seed=seed), steps=min(STEPS, ingredients.steps()), seed=seed, sample_every=0)
    found = {}
    for size in sizes:
        feed = ingredients.feed("train", seed=seed, plain=True, batch_size=size)
        read = _read(learner.model, norms, list(islice(feed.batches(), NOISE_BATCHES)), dropping=False, seed=seed)
        noise = {name: _noise(pairs) for name, pairs in read.items() if len(pairs) > 1}
        worst = max(noise, key=lambda name: noise[name][0])
        found[str(size)] = (worst, *noise[worst])
    return BatchNoise(sizes=found)


def _dropped(ingredients: Ingredients, model: nn.Module) -> list[str]:
    regularizers = ingredients.regularizers
    keys = [key for key in KEYS if getattr(regularizers, key)]
    own = [name for name, m in model.named_modules() if isinstance(m, nn.modules.dropout._DropoutNd) and m.p > 0]
    branches = [n for n, m in model.named_modules() if getattr(m, BRANCHES.get(type(m).__name__, ""), 0)]
    return [f"regularizers.{key}" for key in keys] or [*own, *branches]


def _read(
    model: nn.Module, norms: Mapping[str, nn.Module], batches: Sequence[Batch], *, dropping: bool, seed: int
) -> Read:
    """Every batch norm normalizes by the batch both times, so that only the dropping differs."""
    read: Read = {name: [] for name in norms}

    def ear(name: str) -> Any:
        def hear(_: nn.Module, args: tuple[Any, ...]) -> None:
            x = args[0].detach().float()
            dims = [d for d in range(x.ndim) if d != 1]
            read[name].append((x.mean(dims), x.var(dims, correction=0)))

        return hear

    hooks = [module.register_forward_pre_hook(ear(name)) for name, module in norms.items()]
    with _kept_statistics(norms), evaluating(model), torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.train(dropping)
        for module in norms.values():
            module.train()
        for batch in batches:
            model(batch.inputs)
    for hook in hooks:
        hook.remove()
    return read


@contextmanager
def _kept_statistics(norms: Mapping[str, nn.Module]) -> Iterator[None]:
    before = {name: {key: value.clone() for key, value in m.named_buffers()} for name, m in norms.items()}
    try:
        yield
    finally:
        for name, module in norms.items():
            for key, value in module.named_buffers():
                value.copy_(before[name][key])


def _ratio(one: list[tuple[Tensor, Tensor]], other: list[tuple[Tensor, Tensor]]) -> float:
    a, b = (torch.stack([variance for _, variance in pairs]).mean(0) for pairs in (one, other))
    alive = b > 1e-12
    return float((a[alive] / b[alive]).log().mean().exp()) if bool(alive.any()) else 1.0


def _noise(pairs: list[tuple[Tensor, Tensor]]) -> tuple[float, float]:
    """(stray of the batch mean, spread of the batch deviation), both over the layer's deviation."""
    means, variances = (torch.stack(column) for column in zip(*pairs, strict=True))
    deviation = (variances.mean(0) + means.var(0)).sqrt()
    alive = deviation > 1e-6
    stray = (means.std(0) / deviation)[alive].square().mean().sqrt()
    return float(stray), float((variances.sqrt().std(0) / deviation)[alive].square().mean().sqrt())


def _pull(ingredients: Ingredients, learner: Learner, reached: list[tuple[float, nn.Parameter]], seed: int) -> float:
    pulls = []
    for batch in islice(ingredients.feed("train", seed=seed, plain=True).batches(), 5):
        learner.model.zero_grad(set_to_none=True)
        learner.loss(learner.model(batch.inputs), batch.targets).backward()  # type: ignore[no-untyped-call]
        decay = math.sqrt(sum(float((amount * p.detach()).square().sum()) for amount, p in reached))
        data = math.sqrt(sum(float(p.grad.square().sum()) for _, p in reached if p.grad is not None))
        pulls.append(decay / max(data, 1e-30))
    return min(pulls)

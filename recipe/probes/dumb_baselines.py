"""B8: what simple models reach on the same items, and whether the net beats them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from recipe import simple_models
from recipe.data.text_encoders import fit_bag
from recipe.intervals import paired
from recipe.probes.probe import outputs_of, take
from recipe.record.baseline import DumbBaselines, Rival
from recipe.record.evidence import CannotMeasure
from recipe.record.history import History
from recipe.record.interval import Interval
from recipe.tasks.task import NUMBERS, Task, distinct
from recipe.training.batch import Batch
from recipe.training.seeding import derive
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.data.data import Data
    from recipe.ingredients import Ingredients
    from recipe.probes.reference import Reference

Predict = Callable[[], Tensor]
VOCABULARY = 4096
"""Whole-number inputs are counted up to here, as a bag of words; and so many words of texts."""
SEEN = 2000
"""Training items on which the net is looked at after its training."""
COMPONENTS = 16
"""Principal components that an autoencoder is compared with, where its model names no `code`."""


def measure_dumb_baselines(reference: Reference) -> DumbBaselines:
    """The net and its rivals, trained on one sample of train and scored item by item on one sample of val."""
    ingredients, train, val, history = reference.ingredients, reference.train, reference.val, reference.history
    task, targets, model = ingredients.task, val.targets.cpu(), reference.model
    outputs = outputs_of(model, val.inputs)
    some = take(train, range(min(len(train.targets), SEEN)))
    seen, known = outputs_of(model, some.inputs), some.targets.cpu()
    scored = []
    for name, learns, predict in _rivals(ingredients, train, val):
        started = time.perf_counter()
        said = _as_outputs(task, predict(), outputs, targets)
        scored.append((name, learns, said, time.perf_counter() - started))
    best = max(scored, key=lambda rival: _goodness(task, rival[2], targets))
    blind = max((r for r in scored if not r[1]), key=lambda rival: _goodness(task, rival[2], targets))
    return DumbBaselines(
        metric=task.headline,
        higher_is_better=task.higher_is_better,
        train_items=len(train.targets),
        val_items=len(targets),
        rivals=tuple(
            Rival(name=name, score=task.interval(said, targets), learns=learns, seconds=round(seconds, 3))
            for name, learns, said, seconds in scored
        ),
        net=task.interval(outputs, targets),
        lead=_lead(task, outputs, best[2], targets),
        lead_over_blind=_lead(task, outputs, blind[2], targets),
        best=best[0],
        best_blind=blind[0],
        by_class=_by_class(task, outputs, targets, ingredients.data.classes),
        seen_by_class=_by_class(task, seen, known, ingredients.data.classes),
        shares=_shares(train.targets.cpu(), targets, ingredients.data.classes),
        history=history,
        train_headline=task.metrics(seen, known)[task.headline],
        still_falling=_still_falling(history),
    )


def _rivals(ingredients: Ingredients, train: Batch, val: Batch) -> list[tuple[str, bool, Predict]]:
    """(name, does it look at the inputs, its predictions on val in the shape of targets, or its outputs)."""
    task, data, y = ingredients.task, ingredients.data, train.targets.cpu()
    if task.name == "language_model":
        return _for_tokens(train.inputs, y, val.inputs, ingredients.num_outputs)
    words = data.train.texts is not None and task.name != "autoencoder"
    x, others = _words(data, train, val) if words else (features(train.inputs), features(val.inputs))
    table = data.kind == "table"
    if task.name == "autoencoder":
        return _for_inputs(x, others, int(ingredients.config["model"].get("code") or COMPONENTS))
    if task.name == "regression":
        return _for_numbers(x, y, others, table=table)
    if task.name == "multilabel":
        return _for_labels(x, y, others)
    seed = ingredients.config["seed"]
    return _for_classes(x, y.reshape(-1).long(), others, table=table, words=words, seed=seed)


def _words(data: Data, train: Batch, val: Batch) -> tuple[Tensor, Tensor]:
    """Both as rows of tf-idf of length 1, whatever the net reads of the texts."""
    assert data.train.texts is not None
    assert data.val.texts is not None
    known, asked = data.train.texts.take(train.index.numpy()), data.val.texts.take(val.index.numpy())
    bag = fit_bag(known, most=VOCABULARY, pairs=False)
    return F.normalize(bag(known)), F.normalize(bag(asked))


def features(inputs: Any) -> Tensor:
    """Inputs as rows of numbers, float32 (N, D); whole numbers as counts of each."""
    columns = []
    for leaf in leaves(inputs):
        rows = leaf.detach().cpu().reshape(len(leaf), -1)
        if not rows.is_floating_point() and rows.dtype != torch.bool:
            rows = torch.stack([torch.bincount(r.clamp(0, VOCABULARY - 1), minlength=VOCABULARY) for r in rows.long()])
        columns.append(rows.float())
    table = torch.cat(columns, dim=1)
    if not bool(table.isfinite().all()):
        raise CannotMeasure("some inputs are not finite, and simple models cannot take them")
    return table


def _for_tokens(x: Any, y: Tensor, others: Any, vocabulary: int) -> list[tuple[str, bool, Predict]]:
    """Counts of what comes next. CannotMeasure when the inputs are not one token a target."""
    if not isinstance(x, Tensor) or x.is_floating_point() or x.shape != y.shape:
        raise CannotMeasure("the inputs are not one token for each target, so there is nothing to count")
    x, others = x.cpu().long(), others.cpu().long()
    names = (("uniform", False), ("how often each token occurs", False), ("after the token before (bigram)", True))
    return [
        (name, learns, partial(simple_models.next_token_counts, x, y, others, vocabulary, order=order))
        for order, (name, learns) in enumerate(names)
    ]


def _for_inputs(x: Tensor, others: Tensor, code: int) -> list[tuple[str, bool, Predict]]:
    count = min(code, *x.shape)
    return [
        ("mean", False, lambda: x.mean(dim=0).expand(len(others), -1)),
        (f"{count} principal components", True, lambda: simple_models.principal_components(x, others, count)),
    ]


def _for_classes(
    x: Tensor, y: Tensor, others: Tensor, *, table: bool, words: bool, seed: int
) -> list[tuple[str, bool, Predict]]:
    # Rows of length 1, and as much penalty as scikit-learn's default.
    penalty = 0.5 / len(x) if words else 1e-3
    counts = torch.bincount(y).float()
    generator = torch.Generator().manual_seed(derive(seed, "prior"))
    drawn = torch.multinomial(counts, len(others), replacement=True, generator=generator)
    rivals: list[tuple[str, bool, Predict]] = [
        ("majority class", False, lambda: counts.argmax().expand(len(others))),
        ("drawn from the prior", False, lambda: drawn),
        ("nearest class mean", True, lambda: simple_models.nearest_class_mean(x, y, others)),
        ("nearest neighbours (5)", True, lambda: simple_models.vote_of_neighbours(x, y, others)),
        (
            "logistic regression",
            True,
            lambda: simple_models.logistic_regression(x, y, others, penalty=penalty, scaled=not words),
        ),
    ]
    if table:
        rivals.append(("boosted trees (50)", True, lambda: simple_models.boosted_trees(x, y, others, classes=True)))
    return rivals


def _for_numbers(x: Tensor, y: Tensor, others: Tensor, *, table: bool) -> list[tuple[str, bool, Predict]]:
    near = simple_models.standardised(x, others)
    rivals: list[tuple[str, bool, Predict]] = [
        ("mean", False, lambda: y.mean(dim=0).expand(len(others), -1)),
        ("nearest neighbours (5)", True, lambda: simple_models.mean_of_neighbours(near[0], y, near[1])),
        ("ridge regression", True, lambda: simple_models.ridge_regression(x, y, others)),
    ]
    if table and y.shape[1] == 1:
        rivals.append(("boosted trees (50)", True, lambda: simple_models.boosted_trees(x, y, others, classes=False)))
    return rivals


def _for_labels(x: Tensor, y: Tensor, others: Tensor) -> list[tuple[str, bool, Predict]]:
    usual = (y.mean(dim=0) > 0.5).expand(len(others), -1)
    return [
        ("usual labels", False, lambda: usual),
        ("every label", False, lambda: torch.ones_like(usual)),
        ("nearest neighbours (5)", True, lambda: simple_models.mean_of_neighbours(x, y, others) > 0.5),
        ("ridge regression", True, lambda: simple_models.ridge_regression(x, y, others) > 0.5),
    ]


def _as_outputs(task: Task, said: Tensor, outputs: Tensor, targets: Tensor) -> Tensor:
    """Predictions as outputs of a net that is sure of them; log-probabilities and values are outputs already."""
    if task.name == "language_model":
        return said
    said = said.reshape(targets.shape).to(targets.dtype)
    if getattr(task, "squashed", False):
        return said.clamp(1e-6, 1 - 1e-6).logit()
    return said.reshape(outputs.shape) if task.name in NUMBERS else task.outputs_for(said, 8.0)


def _goodness(task: Task, outputs: Tensor, targets: Tensor) -> float:
    return -task.metrics(outputs, targets)["error"]


def _lead(task: Task, outputs: Tensor, rival: Tensor, targets: Tensor) -> Interval:
    """How much better an item is predicted, paired by item: in the headline, or in shares of the variance."""
    mine, theirs = task.per_item(outputs, targets), task.per_item(rival, targets)
    if task.name in NUMBERS:
        variance = float(targets.double().var(dim=0, correction=0).mean())
        return paired((theirs / variance).tolist(), (mine / variance).tolist())
    better, worse = (mine, theirs) if task.higher_is_better else (theirs, mine)
    return paired(better.tolist(), worse.tolist())


def _by_class(task: Task, outputs: Tensor, targets: Tensor, classes: Any) -> dict[str, float]:
    """Recall by class; nothing for tasks without classes."""
    if task.name not in ("classification", "binary"):
        return {}
    hits, labels = task.per_item(outputs, targets), targets.reshape(-1).long()
    return {_named(k, classes): float(hits[labels == k].mean()) for k in distinct(labels).tolist()}


def _shares(train: Tensor, val: Tensor, classes: Any) -> dict[str, float]:
    """How much of the training sample is of each class that val has."""
    if train[0].numel() > 1:
        return {}
    labels = train.reshape(-1)
    return {_named(k, classes): float((labels == k).double().mean()) for k in distinct(val).tolist()[:1000]}


def _named(label: float, classes: Any) -> str:
    return str(classes[int(label)]) if classes else f"{label:g}"


def _still_falling(history: History) -> float:
    """By which share of itself the loss fell from the third to the last quarter of the run."""
    quarter = len(history.losses) // 4
    if quarter < 2:
        return 0.0
    third, last = (sum(part) / quarter for part in (history.losses[-2 * quarter : -quarter], history.losses[-quarter:]))
    return (third - last) / abs(third) if third else 0.0

"""B9: a few examples, memorised down to the lowest achievable loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from recipe.data.pictures import picture_of, sheet
from recipe.losses import Loss
from recipe.probes.probe import fingerprint, outputs_of, plain_learner, spread_rows, take
from recipe.record.baseline import Attempt, OneBatch
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.history import Point
from recipe.record.skeleton import Form
from recipe.tasks.language_model import LeftOpen, left_open
from recipe.tasks.task import Task
from recipe.training.batch import Batch
from recipe.training.learner import Learner
from recipe.training.loop import fit
from recipe.training.seeding import derive
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.data.data import Data
    from recipe.ingredients import Ingredients
    from recipe.training.feed import Feed

CHECK_EVERY = 20
"""Steps between two looks at whether the batch is learnt."""
MARGINS = tuple(k / 4 for k in range(2, 65))
"""Where the floor of an unknown loss is looked for."""
TOLERANCE = 0.02
"""Learnt: this share of the way from the first loss to the floor may be left."""
NEARLY = 0.1
"""So much may be left of a loss over many tokens for no other way to be tried."""


def measure_one_batch(
    ingredients: Ingredients, seed: int, shelf: Shelf, *, items: int = 8, steps: int = 600
) -> OneBatch:
    """First with the user's own optimizer; when that does not do it, without its clipping, faster, and with Adam."""
    task, loss = ingredients.task, ingredients.loss
    batch, feed = _chosen(ingredients, seed, items)
    targets = batch.targets.cpu()
    if len(torch.unique(targets, dim=0)) < 2:
        raise CannotMeasure("the examples all have the same target")
    first = plain_learner(ingredients, seed)
    floor = lowest(task, loss, targets, task.form(outputs_of(first.model, batch.inputs)))
    open_to = left_open(batch.inputs, targets) if task.time_axis() == 1 else None
    if floor is not None and open_to is not None:
        floor += open_to.loss
    blind = task.expected_initial_loss(loss, targets, prior=True)
    attempts, said = [], []
    for name, change in WAYS.items():
        learner = plain_learner(ingredients, seed)
        if not change(learner):
            continue
        attempt, outputs = _memorise(task, learner, name, batch, feed, steps, seed, floor, blind, open_to)
        attempts.append(attempt)
        said.append(outputs)
        if attempt.correct == len(targets) and is_close(attempt.final, attempt.start, floor, blind):
            break
        # All tokens of an item right is more than a small loss asks for: the way there is seen long before.
        if open_to is not None and is_close(attempt.final, attempt.start, floor, blind, within=NEARLY):
            break
    words = partial(_words, task, ingredients.data)
    return OneBatch(
        items=len(targets),
        classes=len(torch.unique(targets, dim=0)),
        each=targets.shape[1] if open_to is not None else 1,
        floor=floor,
        blind=blind,
        tolerance=TOLERANCE,
        clip_norm=first.clip_norm,
        attempts=tuple(attempts),
        targets=words(targets, targets),
        predictions=words(task.predictions(said[0]), targets),
        indices=tuple(batch.index.tolist()),
        constants=task.constants(loss, targets),
        headline=task.headline,
        sheet=_drawn(ingredients.data, batch.index.tolist(), shelf),
    )


def _as_it_is(_: Learner) -> bool:
    """As the user has it."""
    return True


def _unclipped(learner: Learner) -> bool:
    """Without clipping, if there is any."""
    clips, learner.clip_norm = bool(learner.clip_norm), None
    return clips


def _faster(learner: Learner) -> bool:
    """At ten times the rate, if there is one."""
    for group in learner.optimizer.param_groups:
        if "lr" in group:
            group["lr"] *= 10
    return "lr" in learner.optimizer.param_groups[0]


def _with_adam(learner: Learner) -> bool:
    """With torch's own Adam over all parameters."""
    learner.optimizer = torch.optim.Adam([p for p in learner.model.parameters() if p.requires_grad], lr=1e-3)
    learner.clip_norm = None
    return True


WAYS: dict[str, Callable[[Learner], bool]] = {
    "your optimizer": _as_it_is,
    "no clipping": _unclipped,
    "ten times the rate": _faster,
    "Adam at 0.001": _with_adam,
}
"""Each changes a fresh learner, and says whether that makes a difference."""


def lowest(task: Task, loss: Loss, targets: Tensor, form: Form) -> float | None:
    """The loss of perfect predictions: from the definition, else the least that surer and surer right ones reach."""
    known = task.lowest_loss(loss, targets)
    if known is not None:
        return known
    reached = [float(loss(task.outputs_for(targets, m, form), targets)) for m in MARGINS]
    finite = [value for value in reached if math.isfinite(value)]
    return min(finite) if finite else None


def _chosen(ingredients: Ingredients, seed: int, items: int) -> tuple[Batch, Feed]:
    """Different examples of as many classes as there is room for, always the same batch."""
    train = ingredients.data.train
    # What an autoencoder is to give back are pictures or rows; their labels, if there are any, spread them better.
    labels = train.targets if ingredients.mirrors else ingredients.targets(train)
    rows = spread_rows(labels, items, seed)
    feed = ingredients.feed("train", seed=seed, plain=True, batch_size=len(rows)).subset(rows)
    batch = next(iter(feed.in_order()))
    # the same input under two labels could not be memorised
    prints = [fingerprint(*leaves(take(batch, [row]).inputs)) for row in range(len(rows))]
    kept = [row for row, mark in enumerate(prints) if prints.index(mark) == row]
    return take(batch, kept), feed if len(kept) == len(rows) else feed.subset(rows[kept])


def _memorise(
    task: Task,
    learner: Learner,
    name: str,
    batch: Batch,
    feed: Feed,
    steps: int,
    seed: int,
    floor: float | None,
    blind: float | None,
    open_to: LeftOpen | None,
) -> tuple[Attempt, Tensor]:
    """Trains on the one batch until it is learnt or the steps are over; (what happened, outputs at the end)."""
    model, targets = learner.model, batch.targets.cpu()

    def look(model: nn.Module) -> dict[str, dict[str, float]]:
        outputs = outputs_of(model, batch.inputs)
        value = float(learner.loss(outputs.to(batch.targets.device), batch.targets))
        return {"train": {"loss": value, "right": float(_right(task, outputs, targets, open_to))}}

    start = look(model)["train"]["loss"]

    def stop_when(point: Point) -> str | None:
        seen = point.metrics["train"]
        return "learnt" if seen["right"] == len(targets) and is_close(seen["loss"], start, floor, blind) else None

    history = fit(
        learner, feed, steps=steps, seed=derive(seed, "steps"),
        evaluate=look, evaluate_every=CHECK_EVERY, stop_when=stop_when,
    )  # fmt: skip
    model.train()
    with torch.no_grad():
        outputs = model(batch.inputs).float().cpu()
    in_evaluation = outputs_of(model, batch.inputs)
    attempt = Attempt(
        name=name,
        start=start,
        losses=history.losses,
        final=float(learner.loss(outputs.to(batch.targets.device), batch.targets)),
        correct=_right(task, outputs, targets, open_to),
        eval_loss=look(model)["train"]["loss"],
        eval_correct=_right(task, in_evaluation, targets, open_to),
        stopped=history.stopped,
    )
    return attempt, outputs


def is_close(
    value: float, start: float, floor: float | None, blind: float | None, *, within: float = TOLERANCE
) -> bool:
    """Whether no more than that share of what there was to learn is left: from the start, or from a blind guess."""
    if floor is None or not math.isfinite(value):
        return False
    return abs(value - floor) <= within * max(min(start, start if blind is None else blind) - floor, 1e-3)


def _right(task: Task, outputs: Tensor, targets: Tensor, open_to: LeftOpen | None) -> int:
    """Items predicted right; numbers: within half their deviation; tokens: all that what stands before them tells."""
    said = task.predictions(outputs)
    if open_to is not None:
        return int(((said == targets) | ~open_to.told).all(dim=1).sum())
    if task.name == "autoencoder":
        variance = float(targets.double().var(dim=0, correction=0).mean())
        return int((task.per_item(outputs, targets) <= 0.25 * variance).sum())
    near = 0.5 * targets.std(dim=0) if task.name == "regression" else 0
    hits = (said - targets).abs() <= near
    return int(hits.reshape(len(hits), -1).all(dim=1).sum())


def _drawn(data: Data, rows: Sequence[int], shelf: Shelf) -> str:
    """The examples side by side as a side file, where they are pictures."""
    if data.kind != "image":
        return ""
    raws = [data.train.raw(row)[0] for row in rows]
    tensors = [raw for raw in raws if isinstance(raw, Tensor)]
    reach = (min(float(t.min()) for t in tensors), max(float(t.max()) for t in tensors)) if tensors else (0.0, 1.0)
    picture, _ = sheet([picture_of(data, raw, reach) for raw in raws], len(raws))
    return shelf.put_side("one_batch.png", picture)


def _words(task: Task, data: Data, values: Tensor, targets: Tensor) -> tuple[str, ...]:
    """Targets or predictions as a person reads them; of an autoencoder's, how much comes through."""
    classes = data.classes
    if task.name == "autoencoder":
        variance = targets.double().var(dim=0, correction=0).mean()
        left = ((values - targets).double() ** 2).flatten(1).mean(dim=1) / variance
        return tuple(f"R² {1 - share:.2f}" for share in left.tolist())
    if task.time_axis() == 1:
        asked = values.where(targets >= 0, -1)
        if hasattr(data.encoder, "decode"):
            return tuple(data.encoder.decode(row) for row in asked)
        return tuple(" ".join(classes[k] if classes else str(k) for k in row.tolist() if k >= 0) for row in asked)
    if values.ndim == 1:
        return tuple(classes[k] if classes and k < len(classes) else str(k) for k in values.tolist())
    return tuple(" ".join(f"{number:.4g}" for number in row) for row in values.tolist())

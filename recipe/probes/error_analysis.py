"""Where the ensemble is wrong: confusion, recall of each class, and the items it is most wrong about, as pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recipe.data.data import Data, Split
from recipe.data.pictures import drawn, picture_of, sheet
from recipe.data.texts import shortened
from recipe.intervals import wilson
from recipe.predict.average import as_outputs, item_losses
from recipe.record.ensemble import Errors, Lookup, Mistake, Recall
from recipe.record.evidence import Shelf
from recipe.tasks.task import NUMBERS, Task

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

BROWSER = "../inspect-data/browser.html"
_ACROSS, _CONTEXT = 8, 100
_RESIDUALS = 500


def analyse_errors(
    ingredients: Ingredients, split: Split, probabilities: Tensor, targets: Tensor, shelf: Shelf, *, hardest: int
) -> Errors:
    """probabilities, targets: of every item of the split, in its order. Pictures go to the shelf."""
    task, data = ingredients.task, ingredients.data
    losses = item_losses(task, probabilities, targets)
    worst = losses.argsort(descending=True, stable=True)[:hardest].tolist()
    outputs = as_outputs(task, probabilities)
    said = task.predictions(outputs)
    restored = task.name == "autoencoder"
    across = _ACROSS // 2 if restored else _ACROSS
    picture = None
    if data.kind == "image" and worst:
        pictures = _restored(probabilities, targets, worst) if restored else _as_given(data, split, worst)
        picture = shelf.put_side("hardest.png", sheet(pictures, across)[0])
    classes = _names(task.name, data.classes, probabilities)
    confusion = _confusion(said, targets, len(classes)) if task.name in ("classification", "binary") else None
    numbers = task.name in NUMBERS
    mistake = _teller(task, data, split, probabilities, said, targets, losses, classes)
    wrong = 0 if numbers else int((said != targets).reshape(len(said), -1).any(dim=1).sum())
    return Errors(
        split=split.name,
        items=len(split),
        wrong=wrong,
        classes=classes,
        confusion=() if confusion is None else tuple(map(tuple, confusion.tolist())),
        recalls=_recalls(confusion, classes, said, targets) if classes else (),
        hardest=tuple(mistake(k) for k in worst),
        sheet=picture,
        across=across if picture else 0,
        restored=restored,
        residuals=_residuals(probabilities, targets, all_over=restored) if numbers else (),
    )


def look_up(ingredients: Ingredients, probabilities: Tensor, targets: Tensor, *, hardest: int) -> Lookup:
    """The hardest validation items, with what finds each in the data browser of inspect-data."""
    task, data = ingredients.task, ingredients.data
    losses = item_losses(task, probabilities, targets)
    worst = losses.argsort(descending=True, stable=True)[:hardest].tolist()
    said = task.predictions(as_outputs(task, probabilities))
    classes = _names(task.name, data.classes, probabilities)
    mistake = _teller(task, data, data.val, probabilities, said, targets, losses, classes)
    mistakes = tuple(mistake(k) for k in worst)
    return Lookup(
        split=data.val.name,
        link=BROWSER,
        hardest=mistakes,
        queries=tuple(f'split:{data.val.name} name:"{one.item}"' for one in mistakes),
    )


def _as_given(data: Data, split: Split, worst: list[int]) -> list[np.ndarray | None]:
    first = [split.raw(k)[0] for k in worst]
    reach = (min(float(x.min()) for x in first), max(float(x.max()) for x in first))
    return [picture_of(data, x, reach) for x in first]


def _restored(said: Tensor, targets: Tensor, worst: list[int]) -> list[np.ndarray | None]:
    """Each as the net gets it, and beside it what the net makes of it, on one scale."""
    asked = targets[worst]
    reach = (float(asked.min()), float(asked.max()))
    pairs = [(targets[k], said[k].reshape(targets[k].shape)) for k in worst]
    return [np.concatenate([drawn(one, reach) for one in pair], axis=1) for pair in pairs]


def _names(task: str, classes: tuple[str, ...] | None, probabilities: Tensor) -> tuple[str, ...]:
    if task == "binary":
        return classes if classes and len(classes) == 2 else ("no", "yes")
    if task in ("classification", "multilabel"):
        return classes or tuple(map(str, range(probabilities.shape[1])))
    return ()


def _confusion(said: Tensor, targets: Tensor, classes: int) -> Tensor:
    """counts[true][said]"""
    pairs = targets.reshape(-1).to(torch.int64) * classes + said.reshape(-1).to(torch.int64)
    return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def _recalls(confusion: Tensor | None, classes: tuple[str, ...], said: Tensor, targets: Tensor) -> tuple[Recall, ...]:
    if confusion is not None:
        counts = [(int(confusion[k, k]), int(confusion[k].sum())) for k in range(len(classes))]
    else:
        counts = [(int(said[targets[:, k] == 1, k].sum()), int(targets[:, k].sum())) for k in range(len(classes))]
    return tuple(Recall(name=name, recall=wilson(*count)) for name, count in zip(classes, counts, strict=True))


def _teller(
    task: Task,
    data: Data,
    split: Split,
    probabilities: Tensor,
    said: Tensor,
    targets: Tensor,
    losses: Tensor,
    classes: tuple[str, ...],
) -> Callable[[int], Mistake]:
    """How one item is told: by its class, classes or numbers, or its most costly token; what is restored by none."""
    if task.name == "autoencoder":
        return lambda k: Mistake(item=split.called(k), true="", said="", sure=math.nan, loss=float(losses[k]))
    decode = data.decode if task.time_axis() is not None else None
    if decode is not None:
        return lambda k: _costliest(k, split, probabilities[k], targets[k], float(losses[k]), decode)
    return lambda k: _mistake(k, split, probabilities, said, targets, losses, classes)


def _costliest(
    k: int, split: Split, probabilities: Tensor, targets: Tensor, loss: float, decode: Callable[[Tensor], Any]
) -> Mistake:
    """probabilities: (T, V); targets: (T), below 0 where nothing is asked."""
    given = probabilities.gather(1, targets.clamp(min=0)[:, None])[:, 0]
    place = int(given.masked_fill(targets < 0, torch.inf).argmin())
    best = int(probabilities[place].argmax())
    before = targets[:place]
    return Mistake(
        item=split.called(k),
        true=repr(str(decode(targets[place : place + 1]))),
        said=repr(str(decode(torch.tensor([best])))),
        sure=float(probabilities[place, best]),
        loss=loss,
        text=str(decode(before[before >= 0]))[-_CONTEXT:],
    )


def _mistake(
    k: int, split: Split, probabilities: Tensor, said: Tensor, targets: Tensor, losses: Tensor, classes: tuple[str, ...]
) -> Mistake:
    p = probabilities[k].reshape(-1)
    if said.ndim == 1 and len(p) > 1:
        sure = float(p[int(said[k])])
    else:
        sure = float(torch.where(said[k].reshape(-1) > 0, p, 1 - p).min()) if classes else float("nan")
    return Mistake(
        item=split.called(k),
        true=_told(targets[k], classes),
        said=_told(said[k], classes),
        sure=sure,
        loss=float(losses[k]),
        text="" if split.texts is None else shortened(split.texts[k], _CONTEXT),
    )


def _told(value: Tensor, classes: tuple[str, ...]) -> str:
    """A class, the classes that are set, or numbers."""
    numbers: list[Any] = value.reshape(-1).tolist()
    if len(numbers) == 1:
        return classes[int(numbers[0])] if classes else f"{numbers[0]:.4g}"
    if classes:
        return ", ".join(name for name, set_ in zip(classes, numbers, strict=True) if set_) or "none"
    return ", ".join(f"{number:.4g}" for number in numbers[:8])


def _residuals(values: Tensor, targets: Tensor, *, all_over: bool) -> tuple[tuple[float, float], ...]:
    """(true, said) of evenly spaced items, first column; all_over: of another column for each."""
    step = max(1, len(targets) // _RESIDUALS)
    sides = [side.reshape(len(targets), -1)[::step] for side in (targets, values)]
    rows = torch.arange(len(sides[0]))
    columns = rows * 7919 % sides[0].shape[1] if all_over else torch.zeros_like(rows)
    true, said = (side[rows, columns].tolist() for side in sides)
    return tuple(zip(true, said, strict=True))

"""On which parts of a split the model does worse: by columns, measured attributes, and what the data say of items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from recipe.data.attributes import attributes_of
from recipe.data.data import Split
from recipe.intervals import of_items
from recipe.predict.average import as_outputs, item_losses
from recipe.record.evidence import CannotMeasure
from recipe.record.slices import Slice, Slices
from recipe.tasks.task import NUMBERS
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

# Items of a slice at least; levels of one attribute at most, the commonest; slices that are told.
_FEWEST, _LEVELS, _SHOWN = 20, 12, 12
_QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")


class Part(NamedTuple):
    """Some items: why they belong together, and which (N, bool)."""

    attribute: str
    value: str
    inside: np.ndarray
    low: float | None = None
    high: float | None = None


def measure_slices(ingredients: Ingredients, split: Split, probabilities: Tensor, targets: Tensor) -> Slices:
    """probabilities: of the whole ensemble, for every item. CannotMeasure where nothing parts the items."""
    errors = _errors(ingredients, probabilities, targets)
    parts = list(_parts(ingredients, split))
    if not parts:
        raise CannotMeasure("the items have no attribute with parts of twenty items or more")
    numbers = ingredients.task.name in NUMBERS
    guess = _guessable(ingredients, targets)
    raw = [_p_value(errors, part.inside, shares=not numbers) for part in parts]
    corrected = holm(raw)
    found = [
        Slice(
            attribute=part.attribute,
            value=part.value,
            items=int(part.inside.sum()),
            inside=of_items(errors[part.inside].tolist()),
            outside=of_items(errors[~part.inside].tolist()),
            p=p,
            harder=_harder(guess, part.inside, numbers=numbers),
            low=part.low,
            high=part.high,
        )
        for part, p in zip(parts, corrected, strict=True)
    ]
    worse = [one for one in found if one.inside.mean > one.outside.mean]
    worse.sort(key=lambda one: (one.p, one.outside.mean - one.inside.mean))
    return Slices(
        split=split.name,
        items=len(targets),
        looked=len(parts),
        what="absolute error" if numbers else "nats a token" if ingredients.task.name == "language_model" else "error",
        slices=tuple(worse[:_SHOWN]),
    )


def holm(p: list[float]) -> list[float]:
    """Corrected for how many there are, so that one false find in all of them is as rare as the smallest says."""
    order = np.argsort(p)
    found, highest = [0.0] * len(p), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p[place] * (len(p) - rank)))
        found[place] = highest
    return found


def _errors(ingredients: Ingredients, probabilities: Tensor, targets: Tensor) -> np.ndarray:
    """(N) 1 where an item is wrong; absolute errors of numbers, nats a token of texts."""
    task = ingredients.task
    if task.name in NUMBERS:
        return np.asarray((probabilities.double() - targets).abs().reshape(len(targets), -1).mean(1).numpy())
    if task.name == "language_model":
        return np.asarray(item_losses(task, probabilities, targets).numpy(), dtype=float)
    said = task.predictions(as_outputs(task, probabilities))
    return np.asarray((said != targets).reshape(len(targets), -1).any(dim=1).double().numpy())


def _guessable(ingredients: Ingredients, targets: Tensor) -> np.ndarray | None:
    """(N) the one target of each item; None where there are several."""
    values = targets.reshape(len(targets), -1)
    several = values.shape[1] != 1 or ingredients.task.name == "language_model"
    return None if several else np.asarray(values[:, 0].double().numpy())


def _harder(targets: np.ndarray | None, inside: np.ndarray, *, numbers: bool) -> float:
    """Errors of a guess inside, over those outside: of the commonest class, or the median of numbers."""
    if targets is None:
        return 1.0
    errors = []
    for part in (targets[inside], targets[~inside]):
        if numbers:
            errors.append(float(np.abs(part - np.median(part)).mean()))
        else:
            errors.append(float(1 - np.unique(part, return_counts=True)[1].max() / len(part)))
    return errors[0] / errors[1] if errors[1] > 0 else (np.inf if errors[0] > 0 else 1.0)


def _p_value(errors: np.ndarray, inside: np.ndarray, *, shares: bool) -> float:
    """Of no difference: Fisher's exact test for shares, Welch's for numbers; two-sided."""
    from scipy import stats

    a, b = errors[inside], errors[~inside]
    if shares and set(np.unique(errors)) <= {0.0, 1.0}:
        table = [[int(a.sum()), int(len(a) - a.sum())], [int(b.sum()), int(len(b) - b.sum())]]
        return float(stats.fisher_exact(table)[1])
    p = float(stats.ttest_ind(a, b, equal_var=False)[1]) if a.std() + b.std() > 0 else 1.0
    return p if np.isfinite(p) else 1.0


def _parts(ingredients: Ingredients, split: Split) -> Iterator[Part]:
    for name, values in _columns(ingredients, split).items():
        for part in _of_numbers(name, values) if values.dtype.kind == "f" else _of_words(name, values):
            size = int(part.inside.sum())
            if _FEWEST <= size <= len(values) - _FEWEST:
                yield part


def _columns(ingredients: Ingredients, split: Split) -> Mapping[str, np.ndarray]:
    """{attribute: (N) numbers as float, or words}."""
    found: dict[str, np.ndarray] = {name: _plain(values) for name, values in split.attributes.items()}
    cells = split.cells
    if cells is not None:
        found |= {name: cells.numeric[:, k].astype(float) for k, name in enumerate(cells.numeric_names)}
        for k, name in enumerate(cells.category_names):
            words = np.array([*cells.categories[k], "(empty)"], dtype=object)
            found[name] = words[cells.codes[:, k]].astype(str)
    elif split.texts is not None:
        texts = list(split.texts)
        found["words"] = np.array([float(len(text.split())) for text in texts])
        found["characters"] = np.array([float(len(text)) for text in texts])
    else:
        found |= _measured(ingredients, split)
    return found


def _measured(ingredients: Ingredients, split: Split) -> dict[str, np.ndarray]:
    """Brightness, contrast and so on, as inspect-data measures them."""
    data = ingredients.data
    some = list(leaves(data.train.sample(data.train.spread(512))))
    reach = (min(float(x.min()) for x in some), max(float(x.max()) for x in some))
    found: dict[str, np.ndarray] = {}
    for positions, inputs in split.chunks():
        if any(leaf.dtype in (torch.int64, torch.int32) for leaf in leaves(inputs)) and data.kind != "image":
            return {}
        for name, values in attributes_of(data.kind, None, positions, inputs, reach).items():
            found.setdefault(name, np.full(len(split), np.nan))[positions] = values
    return found


def _plain(values: Any) -> np.ndarray:
    array = np.asarray(values)
    return array.astype(float) if array.dtype.kind in "iuf" and len(np.unique(array)) > _LEVELS else array.astype(str)


def _of_words(name: str, values: np.ndarray) -> Iterator[Part]:
    words, counts = np.unique(values, return_counts=True)
    for k in np.argsort(-counts, kind="stable")[:_LEVELS]:
        yield Part(name, str(words[k]), values == words[k])


def _of_numbers(name: str, values: np.ndarray) -> Iterator[Part]:
    """Quarters; a value that many items share is one of its own."""
    known = values[np.isfinite(values)]
    if not len(known):
        return
    different = np.unique(known)
    if len(different) <= _LEVELS:
        yield from (Part(name, f"{v:g}", values == v, float(v), float(v)) for v in different)
        return
    edges = np.quantile(known, [0, 0.25, 0.5, 0.75, 1])
    for k, told in enumerate(_QUARTERS):
        upper = values <= edges[k + 1] if k == len(_QUARTERS) - 1 else values < edges[k + 1]
        inside = (values >= edges[k]) & upper
        reach = f"{told}, {_edge(edges[k])} to {_edge(edges[k + 1])}"
        yield Part(name, reach, inside, float(edges[k]), float(edges[k + 1]))
    if np.isnan(values).any():
        yield Part(name, "(empty)", np.isnan(values))


def _edge(value: float) -> str:
    """As people write it: 17,044 rather than 1.7e+04."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"

"""O4: signals plugged in one by one, the most telling first; each with the boost expected and the boost obtained.

"Complexify only one at a time. E.g. if you have multiple signals to plug into your classifier I would advise that you
plug them in one by one and every time ensure that you get a performance boost you'd expect." Karpathy 2019.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import variance
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from recipe.lengths import LEAST_STEPS, pace_of, training_seconds
from recipe.record.evidence import CannotMeasure
from recipe.record.features import Columns
from recipe.record.plugging import Plug, Plugged
from recipe.record.trial import Change, Outcome, Trial
from recipe.simple_models import logistic_regression, ridge_regression
from recipe.tree import leaves
from recipe.trials.compare import compare, over_seeds
from recipe.trials.here import items_in
from recipe.trials.pool import workers_of

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.record.overfit import Cost, RateChoice
    from recipe.stages.stage import Stage

# Signals at most: the least telling columns come together.
_MOST = 5
# Of the steps that the rung took: what a signal is worth shows early.
_PART = 0.1
# Of a budget.
_SHARE = 0.05
# Pixels below which a picture has nothing left to show.
_SMALLEST = 4
# Rows that the linear models are fitted on, and judged by.
_ROWS = 2000
# Numbers of an input beyond which no linear model is fitted: it would take longer than the net, and gigabytes.
_WIDEST = 4096


class Signal(NamedTuple):
    """name: what comes in. change: of the configuration as it is, for inputs of it and all before it."""

    name: str
    change: Change


def plug_in(stage: Stage, rung: Change, choice: RateChoice | None, rung_steps: int, cost: Cost) -> Plugged:
    """The net of the rung, at the rate that was chosen, on one signal, then on two, … on the same seeds and steps."""
    base = rung if choice is None or choice.rate == choice.used.rate else {**rung, "optimizer.lr": choice.rate}
    ingredients, count = stage.ingredients, int(stage.settings["plug"])
    what, signals = signals_of(ingredients.changed(base), stage.earlier("inspect-data").found("columns", Columns))
    if not count:
        raise CannotMeasure("overfit.plug=0")
    steps = max(LEAST_STEPS, round(_PART * rung_steps))
    each = training_seconds(steps, cost)
    if (
        stage.budget is not None
        and len(signals) * count * each * pace_of(workers_of(ingredients)) > _SHARE * stage.budget
    ):
        raise CannotMeasure("the budget has no room for it")
    trials = [
        Trial(
            name=f"plugged in: {signal.name}",
            change={**base, **signal.change},
            seed=stage.seed + i,
            steps=steps,
            hypothesis=f"{signal.name} helps",
        )
        for signal in signals
        for i in range(count)
    ]
    outcomes = stage.try_out(trials, each=each)
    groups = [outcomes[i * count : (i + 1) * count] for i in range(len(signals))]
    expected = [linear_score(ingredients.changed({**base, **signal.change})) for signal in signals]
    return Plugged(
        what=what,
        metric=ingredients.task.headline,
        seeds=count,
        steps=steps,
        noise=_noise(groups, ingredients.task.headline),
        plugs=tuple(_plug(stage, signals, groups, expected, place) for place in range(len(signals))),
    )


def signals_of(ingredients: Ingredients, columns: Columns | None) -> tuple[str, list[Signal]]:
    """(what they are, signals): columns by what each tells alone, or sizes of pictures. Else CannotMeasure."""
    shape, data = ingredients.input_shape, ingredients.data
    if ingredients.mirrors:
        raise CannotMeasure("an autoencoder's inputs are its targets too")
    if columns is not None and columns.named and data.features and data.train.texts is None:
        found = _columns(columns, list(ingredients.config["data"]["leave_out"]))
        if len(found) > 1:
            return "columns", found
    if data.kind == "image" and isinstance(shape, tuple) and len(shape) == 3 and not data.train.streams:
        found = _pictures(ingredients, shape)
        if len(found) > 1:
            return "channels and sizes of the pictures" if shape[0] > 1 else "sizes of the pictures", found
    raise CannotMeasure("its inputs are one signal, or nobody looked at what each of its columns tells")


def linear_score(ingredients: Ingredients) -> float | None:
    """The headline of a linear model on the same inputs, on validation; None where there is none of a bearable size."""
    task = ingredients.task
    if ingredients.mirrors or task.headline not in ("accuracy", "r2") or math.prod(ingredients.input_shape) > _WIDEST:
        return None
    x, y = _rows(ingredients, "train")
    others, truth = _rows(ingredients, "val")
    if task.headline == "accuracy":
        if y.ndim > 1 and y.shape[1] != 1:
            return None
        said = logistic_regression(x, y.reshape(-1).long(), others)
        return float((said == truth.reshape(-1)).double().mean())
    y, truth = y.reshape(len(y), -1).float(), truth.reshape(len(truth), -1).float()
    left = ((ridge_regression(x, y, others) - truth) ** 2).sum(0) / ((truth - truth.mean(0)) ** 2).sum(0)
    return float(1 - left.mean())


def _columns(columns: Columns, left_out: list[str]) -> list[Signal]:
    """One, one more, then two, four … at once: what few columns add is told apart only where they say much."""
    used = [c for c in columns.columns if not c.left_out and c.gain is not None and c.name not in left_out]
    names = [c.name for c in sorted(used, key=lambda c: -(c.gain or 0.0))]
    ends = sorted({min(len(names), end) for end in (1, 2, 4, 8)} | {len(names)})[-_MOST:] if names else []
    found, before = [], 0
    for end in ends:
        fresh, rest = names[before:end], names[end:]
        told = ", ".join(fresh[:2]) + (f" and {len(fresh) - 2} more" if len(fresh) > 2 else "")
        found.append(Signal(told, {"data.leave_out": [*left_out, *rest]} if rest else {}))
        before = end
    return found


def _pictures(ingredients: Ingredients, shape: tuple[int, ...]) -> list[Signal]:
    """Small ones first: one channel, one more, …; then all channels of larger ones, up to the size that there is."""
    side, given = min(shape[1:]), ingredients.config["data"]
    sizes: list[Change] = [{"data.side": s} for s in (side // 4, side // 2) if s >= _SMALLEST] + [{}]
    sizes = sizes if shape[0] == 1 else sizes[-2:]
    channels = list(given["channels"] or range(shape[0]))
    found = []
    if 1 < len(channels) < _MOST and given["train_transform"] == [] == given["eval_transform"]:
        alone = {c: linear_score(ingredients.changed({**sizes[0], "data.channels": [c]})) or 0.0 for c in channels}
        order = sorted(channels, key=lambda c: -alone[c])
        for count in range(1, len(order)):
            change = {**sizes[0], "data.channels": sorted(order[:count])}
            found.append(Signal(f"channel {order[count - 1]}", change))
        found.append(Signal(f"channel {order[-1]}", sizes[0]))
        sizes = sizes[1:]
    return [*found, *(Signal(f"pictures of {size.get('data.side', side)} px", size) for size in sizes)]


def _plug(
    stage: Stage,
    signals: Sequence[Signal],
    groups: Sequence[list[Outcome]],
    expected: Sequence[float | None],
    place: int,
) -> Plug:
    task, folder = stage.ingredients.task, stage.folder / "trials"
    now, before = expected[place], expected[place - 1] if place else None
    sign = 1 if task.higher_is_better else -1
    return Plug(
        name=signals[place].name,
        expected=None if now is None or before is None else sign * (now - before),
        gain=compare(
            groups[place],
            groups[place - 1],
            metric=task.headline,
            higher_is_better=task.higher_is_better,
            items=items_in(folder),
        )
        if place
        else None,
        val=over_seeds(groups[place], "val", task.headline, len(stage.ingredients.data.val)),
    )


def _noise(groups: Sequence[Sequence[Outcome]], metric: str) -> float:
    spread = [variance(values) for group in groups if len(values := [o.value("val", metric) for o in group]) > 1]
    return math.sqrt(sum(spread) / len(spread)) if spread else math.nan


def _rows(ingredients: Ingredients, split: str) -> tuple[Tensor, Tensor]:
    """(rows, targets) of some items, as the net sees them."""
    feed = ingredients.feed(split, plain=True, limit=min(_ROWS, len(getattr(ingredients.data, split))))
    batches = [(next(leaves(batch.inputs)).cpu().float().flatten(1), batch.targets.cpu()) for batch in feed.in_order()]
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])

"""Two ideas compared on the same seeds: what one gains over the other, with an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean, stdev

from recipe.intervals import bootstrap, of_items, paired, t_interval, wilson
from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.trial import Outcome

# Fewest seeds, and fewest evaluations in the second half of a run that have a spread worth the name.
_SEEDS, _LATE = 3, 4
_SHARES = ("accuracy", "macro_recall", "f1")
Items = Callable[[Outcome, str], Sequence[float] | None]
"""What a run came to item by item, for a metric; None where it was not kept."""


def compare(
    idea: Sequence[Outcome],
    reference: Sequence[Outcome],
    *,
    metric: str,
    higher_is_better: bool,
    split: str = "val",
    items: Items | None = None,
) -> Gain:
    """What `idea` gains over `reference`, positive when it is better, over the seeds that both have.

    An idea that leaves the training as it is, as averaging the weights does, is judged by all evaluations of the second
    half of its runs, where the last one alone would carry the jitter of the last weights.
    With fewer than three seeds their spread tells nothing; then there are these evaluations, or else `items` (one
    number an item, if the metric is their mean) give an interval over the items of the split, widened by what the
    metric jitters from one evaluation to the next: `method` says which it is.
    A run that diverged or failed is worse than any other: the gain is minus infinity.
    """
    others = {outcome.trial.seed: outcome for outcome in reference}
    pairs = [(one, others[one.trial.seed]) for one in idea if one.trial.seed in others]
    sign = 1.0 if higher_is_better else -1.0
    a = [sign * one.value(split, metric) for one, _ in pairs]
    b = [sign * other.value(split, metric) for _, other in pairs]
    broken = [one for one, _ in pairs if one.status in ("diverged", "failed")]
    if broken or not all(map(math.isfinite, a)):
        none = Interval(-math.inf, -math.inf, -math.inf, len(pairs))
        note = broken[0].note if broken else f"{split} {metric} is not a number"
        return Gain(metric=metric, split=split, difference=none, method="none", note=note)
    along = _along(pairs, split, metric, sign)
    if along is not None:
        return Gain(
            metric=metric, split=split, difference=along, method="seeds" if len(pairs) >= _SEEDS else "evaluations"
        )
    if 0 < len(pairs) < _SEEDS:
        found = _over_items(pairs, metric=metric, sign=sign, items=items) if items else None
        if found is not None:
            return Gain(metric=metric, split=split, difference=found, method="items")
    return Gain(metric=metric, split=split, difference=paired(a, b), method="seeds" if len(pairs) > 1 else "none")


def over_seeds(outcomes: Sequence[Outcome], split: str, metric: str, items: int = 0) -> Interval:
    """The mean over the seeds that were finished, with its t interval; a share stays between 0 and 1.

    A single share of right answers has Wilson's interval, for so many items of the split.
    """
    values = [v for o in outcomes if o.status == "finished" and math.isfinite(v := o.value(split, metric))]
    if metric == "accuracy" and len(values) == 1 and items:
        return wilson(round(values[0] * items), items)
    found = t_interval(values)
    if metric in _SHARES and values:
        return Interval(found.mean, max(0.0, found.low), min(1.0, found.high), found.n)
    return found


def of_one(outcome: Outcome, metric: str, items: Items) -> Interval:
    """A validation metric of one run, with an interval over the items where their mean is the metric."""
    each = _items(outcome, metric, items)
    return of_items(each) if each else t_interval([outcome.value("val", metric)])


def _items(outcome: Outcome, metric: str, items: Items) -> Sequence[float] | None:
    """Only items of which the metric is the mean can speak for it: squared errors do not for an R²."""
    each = items(outcome, metric)
    value = outcome.value("val", metric)
    return each if each and math.isclose(math.fsum(each) / len(each), value, rel_tol=1e-4, abs_tol=1e-5) else None


def _along(pairs: Sequence[tuple[Outcome, Outcome]], split: str, metric: str, sign: float) -> Interval | None:
    """Mean difference over the late evaluations, where both runs took the very same steps and were seen differently.

    With an interval over the seeds, or over the evaluations where seeds are too few. None for other runs, and where
    what a run came to is not its last evaluation (other weights were kept).
    """
    differences: list[Sequence[float]] = []
    for one, other in pairs:
        a, b = one.history.series(split, metric), other.history.series(split, metric)
        if not one.history.losses or one.history.losses != other.history.losses:
            return None
        if [step for step, _ in a] != [step for step, _ in b] or len(a) < 2 * _LATE:
            return None
        if not all(math.isclose(s[-1][1], o.value(split, metric), rel_tol=1e-4) for s, o in ((a, one), (b, other))):
            return None
        late = slice(len(a) // 2, None)
        differences.append([sign * (x - y) for (_, x), (_, y) in zip(a[late], b[late], strict=True)])
    if len(pairs) < _SEEDS:
        differences = list(zip(*differences, strict=False))
    return t_interval([fmean(each) for each in differences])


def _over_items(pairs: Sequence[tuple[Outcome, Outcome]], *, metric: str, sign: float, items: Items) -> Interval | None:
    """Mean difference an item, averaged over the seeds: bootstrap over the items, and the jitter of the runs."""
    both = [(_items(one, metric, items), _items(other, metric, items)) for one, other in pairs]
    if any(a is None or b is None or len(a) != len(b) for a, b in both):
        return None
    rows = [[sign * (x - y) for x, y in zip(a or (), b or (), strict=True)] for a, b in both]
    differences = [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
    over = bootstrap(differences, lambda drawn: float(drawn.mean()))
    jitter = math.sqrt(math.fsum(jitter_of(o, metric) ** 2 for pair in pairs for o in pair)) / len(pairs)
    low = over.mean - math.hypot(over.mean - over.low, 1.96 * jitter)
    high = over.mean + math.hypot(over.high - over.mean, 1.96 * jitter)
    return Interval(over.mean, low, high, over.n)


def jitter_of(outcome: Outcome, metric: str) -> float:
    """Standard deviation of a validation metric about its own trend, over the second half of the evaluations."""
    values = [value for _, value in outcome.history.series("val", metric)]
    late = values[len(values) // 2 :]
    steps = [b - a for a, b in pairwise(late)]
    if len(steps) < 2:
        return 0.0
    return stdev(steps) / math.sqrt(2)

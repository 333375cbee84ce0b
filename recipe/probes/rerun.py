"""The recipe so far and its challengers on fresh seeds: who wins, by how much, and was the search too hopeful."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from recipe.record.interval import Interval
from recipe.record.trial import Change, Outcome
from recipe.record.tune import Contender, Rerun, SearchPlan


def contender(
    plan: SearchPlan, name: str, change: Change, outcomes: Sequence[Outcome], searched: float | None = None
) -> Contender:
    """One configuration from its trainings, one a fresh seed. searched: what the search had measured."""
    return Contender(
        name=name,
        change=change,
        objective=tuple(map(plan.value_of, outcomes)),
        headline=tuple(map(plan.headline_of, outcomes)),
        trials=tuple(outcome.trial.id for outcome in outcomes),
        searched=searched,
    )


def compare_contenders(plan: SearchPlan, contenders: Sequence[Contender], *, higher_is_better: bool) -> Rerun:
    """contenders[0] is the reference. Taken on is a challenger whose objective is better beyond the noise of seeds
    while its headline metric (higher_is_better says how) is not worse; of several the one that gains most."""
    gains = _gains([c.objective for c in contenders], up=plan.direction == "maximize")
    headline_gains = _gains([c.headline for c in contenders], up=higher_is_better)
    able = [i for i, gain in enumerate(gains) if gain.low > 0 and headline_gains[i].high >= 0]
    return Rerun(
        metric=plan.metric,
        headline=plan.headline,
        direction=plan.direction,
        seeds=plan.fresh_seeds,
        contenders=tuple(contenders),
        gains=tuple(gains),
        headline_gains=tuple(headline_gains),
        winner=1 + max(able, key=lambda i: gains[i].mean) if able else 0,
        noise=_pooled([c.objective for c in contenders])[0],
        optimism=_optimism(plan, contenders, gains),
    )


def _gains(groups: Sequence[Sequence[float]], *, up: bool) -> list[Interval]:
    """What each group gains over the first, positive when better, with the 95 % interval of the pooled noise.

    Pooling over configurations is what makes an interval of a few seeds narrow enough to be of use.
    """
    reference, *others = groups
    noise, freedom = _pooled(groups)
    found = []
    for values in others:
        n = len(values)
        if not all(map(math.isfinite, values)):
            found.append(Interval(-math.inf, -math.inf, -math.inf, n))
            continue
        gain = fmean(values) - fmean(reference)
        half = t_quantile(freedom) * noise * math.sqrt(2 / n) if freedom else math.inf
        found.append(Interval(gain if up else -gain, (gain if up else -gain) - half, (gain if up else -gain) + half, n))
    return found


def t_quantile(freedom: int) -> float:
    """Student's 97.5 % point."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _pooled(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    """(standard deviation over seeds, pooled over configurations; degrees of freedom). Not-a-number with one seed."""
    sound = [group for group in groups if len(group) > 1 and all(map(math.isfinite, group))]
    freedom = sum(len(group) - 1 for group in sound)
    squares = sum((value - fmean(group)) ** 2 for group in sound for value in group)
    return (math.sqrt(squares / freedom) if freedom else math.nan), freedom


def _optimism(plan: SearchPlan, contenders: Sequence[Contender], gains: Sequence[Interval]) -> float | None:
    """What the search promised of its best trial over the reference, less what fresh seeds kept of it."""
    reference, *challengers = contenders
    if not challengers or reference.searched is None or challengers[0].searched is None:
        return None
    promised = challengers[0].searched - reference.searched
    promised = promised if plan.direction == "maximize" else -promised
    kept = gains[0].mean
    return promised - kept if math.isfinite(promised) and math.isfinite(kept) else None

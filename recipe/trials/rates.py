"""Adam at 3e-4 beside the rates that the edge suggests: the same seeds, the same steps, nothing else changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING

import msgspec

from recipe.intervals import t_interval
from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.overfit import OverfitPlan, RateChoice, RateTrial
from recipe.record.trial import Outcome, Trial
from recipe.trials.compare import compare
from recipe.trials.here import items_in

if TYPE_CHECKING:
    from recipe.stages.stage import Stage

# Clearly better: fitted in half of the steps, or the loss lower by a fifth on every seed …
_LOSS, _STEPS = 0.8, 0.5
# … and not paid for in validation: a loss of headline counts beyond the noise of the split (a share of right answers
# among n items), a validation loss beyond so much of itself.
_NOISE, _VAL_LOSS = 1.5, 0.1


def choose_rate(
    stage: Stage, trial: Trial, used_rate: float, rates: Sequence[float], plan: OverfitPlan, seconds: float
) -> RateChoice:
    """trial: the chosen rung's own run, at the rate in use; it took `seconds`. rates: tried, from the safe one up."""
    replace, seeds = msgspec.structs.replace, plan.rate_seeds
    assert trial.steps is not None
    length = max(1, round(plan.rate_part * trial.steps)) if plan.rate_part < 1 else trial.steps
    used = [replace(trial, seed=stage.seed + i, steps=length) for i in range(seeds)]
    if stage.ingredients.composed.choices.get("schedule") == "constant":
        # Under a constant rate the first part of a run is the shorter run: the rung's own is used again.
        used[0] = trial
    groups = [used] + [
        [
            replace(
                one,
                steps=length,
                name=f"{trial.name} at {rate:g}",
                change={**trial.change, "optimizer.lr": rate},
                hypothesis=f"fits sooner than {used_rate:g}, at no cost in validation",
            )
            for one in used
        ]
        for rate in rates
    ]
    outcomes = stage.try_out([one for group in groups for one in group], each=seconds * plan.rate_part)
    outcomes = [cut(outcome, length) for outcome in outcomes]
    runs = [outcomes[i * seeds : (i + 1) * seeds] for i in range(len(groups))]
    steps = min(outcome.steps for outcome in outcomes)
    reference = RateTrial(rate=used_rate, loss=loss_at(runs[0], steps), fit=steps_to_fit(runs[0]))
    tried: list[RateTrial] = []
    best = runs[0]
    for rate, after in zip(rates, runs[1:], strict=True):
        # From the safe rate up, each clearly better than the best so far, and no further once validation has paid.
        val, val_loss = gains(stage, after, best)
        noise = noise_of(best, stage.ingredients.task.headline, len(stage.ingredients.data.val))
        tried.append(judge_rate(rate, after, best, steps, val, val_loss, noise))
        if tried[-1].better:
            best = after
        elif tried[-1].costs:
            break
    return choice_of(reference, tried, steps, seeds)


def gains(stage: Stage, after: Sequence[Outcome], before: Sequence[Outcome]) -> tuple[Gain, Gain]:
    """What a rate gains in validation over another: headline and loss."""
    task, folder = stage.ingredients.task, stage.folder / "trials"
    higher = task.higher_is_better
    headline = compare(after, before, metric=task.headline, higher_is_better=higher, items=items_in(folder))
    return headline, compare(after, before, metric="loss", higher_is_better=False)


def judge_rate(
    rate: float,
    after: Sequence[Outcome],
    before: Sequence[Outcome],
    steps: int,
    val: Gain,
    val_loss: Gain,
    noise: float,
) -> RateTrial:
    """Whether the runs `after`, at another rate, are clearly better than those before, on the same seeds.

    When both fit, the steps they need decide; else the training loss after the same steps. noise: of the headline.
    """
    ours, theirs = [_loss(o, steps) for o in after], [_loss(o, steps) for o in before]
    fit, usual = steps_to_fit(after), steps_to_fit(before)
    failed = next((o for o in after if o.status != "finished"), None)
    if fit is not None and usual is not None:
        faster = fit <= _STEPS * usual
    else:
        faster = fit is not None or all(mine <= _LOSS * old for mine, old in zip(ours, theirs, strict=True))
    allowed = _VAL_LOSS * fmean(o.value("val", "loss") for o in before)
    costs = val.harmful or val.difference.mean < -noise or val_loss.difference.mean < -abs(allowed)
    told = f"training loss {fmean(ours):.3g}" + (f", fits in {fit} steps" if fit is not None else "")
    if failed is not None:
        told = f"{failed.status} ({failed.note})"
    elif costs:
        told += f", but validation pays: {val.metric} {val.difference.mean:+.3g}, loss {-val_loss.difference.mean:+.3g}"
    elif not faster:
        told += ", not clearly better"
    better = failed is None and faster and not costs
    return RateTrial(
        rate=rate, loss=t_interval(ours), fit=fit, val=val, val_loss=val_loss, better=better, costs=costs, why=told
    )


def noise_of(outcomes: Sequence[Outcome], metric: str, items: int) -> float:
    """How much less of the headline is let pass: for a share of right answers, what so many items leave open."""
    level = fmean(o.value("val", metric) for o in outcomes)
    if metric == "accuracy" and 0 <= level <= 1:
        return _NOISE * math.sqrt(max(level * (1 - level), 1 / items) / items)
    return 0.01


def choice_of(used: RateTrial, tried: Sequence[RateTrial], steps: int, seeds: int) -> RateChoice:
    """The last that was clearly better than those before it; else the one in use stays."""
    chosen = next((one for one in reversed(tried) if one.better), used)
    own = f"{used.rate:g}: training loss {used.loss.mean:.3g}" + (f", fits in {used.fit} steps" if used.fit else "")
    lines = [own, *(f"{one.rate:g}: {one.why}" for one in tried)]
    why = f"after {steps} steps on {seeds} {'seed' if seeds == 1 else 'seeds'}, {'; '.join(lines)}"
    return RateChoice(used=used, tried=tuple(tried), steps=steps, seeds=seeds, rate=chosen.rate, why=why)


def loss_at(outcomes: Sequence[Outcome], steps: int) -> Interval:
    """Over seeds, the mean training loss of the last fifth of the first `steps` steps."""
    return t_interval([_loss(outcome, steps) for outcome in outcomes])


def steps_to_fit(outcomes: Sequence[Outcome]) -> int | None:
    """The median over the seeds; None unless each of them fitted."""
    fitted = [outcome.steps for outcome in outcomes if outcome.history.stopped == "target-reached"]
    return int(median(fitted)) if len(fitted) == len(outcomes) else None


def cut(outcome: Outcome, steps: int) -> Outcome:
    """A run as it stood at the evaluation next to `steps`; validation metrics and losses only."""
    if outcome.steps <= steps or not outcome.history.points:
        return outcome
    point = min(outcome.history.points, key=lambda point: abs(point.step - steps))
    history = msgspec.structs.replace(outcome.history, losses=outcome.history.losses[:steps], stopped="finished")
    metrics = {**outcome.metrics, **point.metrics}
    return msgspec.structs.replace(outcome, steps=steps, metrics=metrics, history=history)


def _loss(outcome: Outcome, steps: int) -> float:
    """Mean training loss of the last fifth of the first `steps` steps."""
    losses = outcome.history.losses[:steps]
    return fmean(losses[-max(1, len(losses) // 5) :]) if losses else math.nan

"""What was given up, what was gained, and whether the gain is real."""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.regularize import Combination, KeptWeights, LearningCurve, Reference, Regularizers


@check(id="reference-overfits")
def there_is_something_to_give_up(reference: Reference, *, ahead: float = 0.02) -> Verdict:
    """The unregularized net does better in training than in validation, or as well; never clearly worse.

    Why: regularizing trades training loss for validation loss; without a gap there is nothing to trade. A net that
    does better on validation, measured the same way on both, hints at leaks or an easier validation split.
    `ahead`: how far validation may be ahead of training.
    Fix: compare the splits: recipe inspect-data; without a gap go on to a larger model or to tune.
    Source: Karpathy 2019, "Regularize".
    """
    r = reference
    told = f"{r.metric}: {_short(r.train.mean)} in training, {_short(r.val.mean)} in validation"
    measured = {"train": r.train, "val": r.val, "gap": r.gap}
    if not math.isfinite(r.val.mean):
        return failed(
            f"none of {len(r.seeds)} runs without regularizers came to an end", measured=measured, cause="diverged"
        )
    if r.gap.mean < -ahead:
        return warned(f"{told}: validation is ahead", measured=measured, cause="validation-is-easier")
    if r.gap.low <= 0:
        return passed(f"{told}: the gap is inside the noise, there is little to regularize", measured=measured)
    return passed(f"{told}: it overfits by {_short(r.gap.mean)}", measured=measured)


@check(id="generalization-gap")
def the_gap_is_closed_as_far_as_these_data_allow(
    combination: Combination, learning_curve: LearningCurve | None = None, *, gap: float = 0.1, gain: float = 0.02
) -> Verdict:
    """After regularizing, training and validation do not lie far apart.

    Why: a gap that no regularizer closes means too few examples, or validation data of another kind. `gap` between the
    headlines; it counts when twice the data promise at least `gain` (or when that could not be measured).
    Fix: get more data; train.batch_size and model size come next; compare the splits: recipe inspect-data.
    Source: Karpathy 2019, "get more data"; AutoTrainer: 0.1.
    """
    c = combination
    measured = {"train": c.train, "val": c.val, "gap": c.gap}
    text = f"{_short(c.train.mean)} in training, {_short(c.val.mean)} in validation"
    if c.gap.mean <= gap:
        return passed(f"{text}: {_short(c.gap.mean)} apart", measured=measured)
    double = next((f for f in learning_curve.forecasts if f.times == 2), None) if learning_curve else None
    if double is None or learning_curve is None:
        return warned(f"{text}: {_short(c.gap.mean)} apart after all that helped", measured=measured, cause="gap")
    promised = learning_curve.now.mean - double.error.mean
    measured["twice_the_data"] = double.error
    if promised < gain:
        return warned(
            f"{text}: {_short(c.gap.mean)} apart, and twice the data would bring {_short(promised)} only",
            measured=measured,
            cause="validation-differs",
            advice="compare training and validation data: recipe inspect-data",
        )
    return warned(
        f"{text}: {_short(c.gap.mean)} apart; twice the data would bring about {_short(promised)}",
        measured=measured,
        cause="too-little-data",
        advice="get more data",
    )


@check(id="regularizer-gain-is-real")
def what_was_kept_helps_on_fresh_seeds(combination: Combination) -> Verdict:
    """What was kept because it won also wins on seeds that had no part in the choice.

    Why: the best of many ideas looks better than it is, because it was chosen for looking so.
    Fix: more seeds: regularize.seeds=…; or leave the smallest winners out: regularizers.…=null.
    Source: Google Tuning Playbook.
    """
    if not combination.change:
        return skipped("nothing was kept")
    if combination.fresh is None:
        return skipped("the budget had no room for fresh seeds")
    fresh = combination.fresh
    gain = fresh.difference
    text = f"all winners together gain {gain} in {fresh.split} {fresh.metric} on {gain.n} fresh seeds"
    if fresh.difference.mean <= 0:
        return warned(text, measured={"gain": fresh.difference}, cause="gain-not-reproduced")
    return passed(text, measured={"gain": fresh.difference})


@check(id="configured-regularizers-help")
def what_was_switched_on_helps(regularizers: Regularizers) -> Verdict:
    """Augmentation and regularizers that the configuration already has do not harm.

    Why: a transform that changes the class, or too much of a good thing, costs accuracy without any error.
    Fix: switch it off: set the key that is named to null, or data.train_transform=[].
    Source: TheDeepChecker, wrong augmentation.
    """
    ablations = [idea for idea in regularizers.ideas if idea.removes]
    if not ablations:
        return skipped("none is switched on in the configuration")
    bad = [idea for idea in ablations if idea.gain.real]
    if bad:
        worst = max(bad, key=lambda idea: idea.gain.difference.mean)
        return warned(
            f"{worst.name}: {worst.gain.metric} is {_short(worst.gain.difference.mean)} better",
            measured={idea.name: idea.gain.difference for idea in bad},
            cause="regularizer-harms",
            where=", ".join(worst.change),
        )
    return passed("; ".join(f"{idea.name}: {idea.gain.difference}" for idea in ablations))


@check(id="best-weights-kept")
def early_stopping_keeps_the_best_weights(kept_weights: KeptWeights, *, slack: float = 0.1) -> Verdict:
    """Early stopping keeps the weights of the best evaluation, by the metric's own direction.

    Why: with the mode turned round the worst weights are kept, and every later number is about them. `slack`: share of
    the range between best and worst by which the kept value may miss the best.
    Fix: early_stopping.mode=min for losses and errors, max for accuracies.
    Source: Lightning #1395.
    """
    k = kept_weights
    text = (
        f"{k.monitor} is {k.kept:.4g} at the kept step {k.kept_step}; the best was {k.best:.4g} at step {k.best_step}"
    )
    measured = {"kept": k.kept, "best": k.best, "worst": k.worst, "last": k.last}
    if k.points < 2:
        return skipped("there was one evaluation only")
    right = "min" if k.lower_is_better else "max"
    if k.mode != right and abs(k.kept - k.best) > slack * abs(k.worst - k.best):
        return failed(
            f"{text}: mode {k.mode} keeps the wrong end",
            measured=measured,
            cause="wrong-direction",
            where="early_stopping.mode",
            advice=f"early_stopping.mode={right}",
        )
    if abs(k.kept - k.best) > slack * abs(k.worst - k.best):
        return warned(text, measured=measured, cause="best-not-kept", where="early_stopping")
    return passed(text, measured=measured)


def _short(value: float) -> str:
    return f"{value:.3g}"

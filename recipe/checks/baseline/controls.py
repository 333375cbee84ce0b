"""B7 and B8: the net learns from its inputs, and more than simple models do."""

from __future__ import annotations

import math
from statistics import fmean

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.baseline import Arm, DumbBaselines, InputControls
from recipe.record.skeleton import Dependencies


@check(id="real-inputs-win")
def real_inputs_beat_blank_and_shuffled_ones(
    controls: InputControls, dependencies: Dependencies | None = None, *, gain: float = 0.005, ahead: float = 0.05
) -> Verdict:
    """The net learns more from real inputs than from blank or shuffled ones.

    Why: a net that does as well without its inputs has learnt how often each target occurs, and nothing else.
    Fix: follow the input through forward; check that inputs and targets of an item belong together.
    Source: Karpathy 2019, "input-independent baseline".
    """
    real, blank, shuffled = controls.arms
    scale = abs(controls.prior) if controls.prior else abs(fmean(blank.val_loss))
    measured = {"gain_over_blank": controls.gain_over_blank, "gain_over_shuffled": controls.gain_over_shuffled}
    told = (
        f"validation loss after {controls.steps} steps: real {fmean(real.val_loss):.4g}, "
        f"blank {fmean(blank.val_loss):.4g}, shuffled {fmean(shuffled.val_loss):.4g} ({len(controls.seeds)} seeds)"
    )
    # Better by more than the seeds differ: the worst run on real inputs beats the best of the others.
    # A net that has memorised the sample is too sure of itself: its loss is worse, and its decisions are better.
    up = controls.higher_is_better
    weak = [
        arm.name
        for arm in (blank, shuffled)
        if not min(arm.val_loss) - max(real.val_loss) > gain * scale
        and not (min(real.headline) - max(arm.headline) > ahead if up else False)
    ]
    if not weak:
        return passed(told, measured=measured)
    if not all(map(math.isfinite, real.val_loss)):
        return failed(f"{told}: training with real inputs diverges", cause="diverges", where="optimizer.lr",
                      advice="optimizer.lr ten times smaller", measured=measured)  # fmt: skip
    if all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(real.val_loss, blank.val_loss, strict=True)):
        return failed(f"{told}: real and blank inputs give the same", cause="inputs-ignored", where="model",
                      measured=measured)  # fmt: skip
    falls = {arm.name: _fall(arm) for arm in controls.arms}
    if falls["real inputs"] < 0.02 and falls["blank inputs"] < 0.02:
        return warned(f"{told}: nothing is learnt, with or without inputs", cause="not-learning", where="optimizer.lr",
                      advice="optimizer.lr=0.001, and see overfit-one-batch", measured=measured)  # fmt: skip
    if fmean(real.val_loss) > 1.5 * fmean(blank.val_loss):
        return failed(f"{told}: training with real inputs diverges", cause="diverges", where="optimizer.lr",
                      advice="optimizer.lr ten times smaller", measured=measured)  # fmt: skip
    if _only_begun(real, blank, shuffled, controls.prior):
        return warned(f"{told}: ahead on every seed, and hardly begun to learn", cause="not-learnt-yet",
                      where="optimizer.lr", advice="optimizer.lr three times larger", measured=measured)  # fmt: skip
    if dependencies is not None and any(row[i] > 0 for i, row in enumerate(dependencies.forward)):
        return failed(
            f"{told}: the inputs reach the outputs, and bring no more than {' and '.join(weak)}",
            cause="inputs-unrelated-to-targets",
            where="data",
            measured=measured,
        )
    return failed(
        f"{told}: real inputs bring no more than {' and '.join(weak)}",
        cause="inputs-ignored",
        where="model",
        measured=measured,
    )


def _only_begun(real: Arm, blank: Arm, shuffled: Arm, prior: float | None) -> bool:
    """Whether real inputs lead on every seed, by little, as a net does that has hardly left the guess by the prior.

    The tenth was set after one false failure of a tiny transformer, and is not calibrated on more.
    """
    lead = all(a < b and a < c for a, b, c in zip(real.val_loss, blank.val_loss, shuffled.val_loss, strict=True))
    return lead and prior is not None and prior > 0 and fmean(real.train_loss) > 0.9 * prior


def _fall(arm: Arm) -> float:
    """By which share of itself the training loss fell."""
    first = fmean(arm.first)
    return (first - fmean(arm.train_loss)) / abs(first) if first else 0.0


@check(id="beats-guessing")
def the_net_beats_guessing(baselines: DumbBaselines) -> Verdict:
    """After a short training the net beats every guess that does not look at the inputs.

    Why: a score below the majority's share says that nothing useful was learnt.
    Fix: see real-inputs-win and overfit-one-batch for the cause.
    Source: scikit-learn, DummyClassifier; deepchecks, simple model comparison.
    """
    lead = baselines.lead_over_blind
    guess = next(r for r in baselines.rivals if r.name == baselines.best_blind)
    told = f"{baselines.metric} {baselines.net} after {baselines.history.steps} steps, {guess.name} {guess.score}"
    measured = {"net": baselines.net, "lead": lead}
    if lead.low > 0:
        return passed(told, measured=measured)
    learned = [r for r in baselines.rivals if r.learns]
    blind = [r.score.mean for r in baselines.rivals if not r.learns]
    up = baselines.higher_is_better
    if learned and all(r.score.low <= max(blind) if up else r.score.high >= min(blind) for r in learned):
        return failed(
            f"{told}; {', '.join(r.name for r in learned)} do no better: the inputs do not tell the targets",
            cause="inputs-unrelated-to-targets",
            where="data",
            measured=measured,
        )
    if baselines.still_falling > 0.02:
        return warned(f"{told}; its loss still falls", cause="not-learnt-yet", where="train", measured=measured)
    return failed(
        f"{told}: not better than guessing", cause="no-better-than-guessing", where="model", measured=measured
    )


@check(id="beats-simple-models")
def the_net_beats_simple_models(baselines: DumbBaselines, *, margin: float = 0.02) -> Verdict:
    """A net that fits its training items is no worse than simple models on the same items.

    Why: a net that loses to nearest neighbours gets its inputs scrambled, or has not learnt what it could.
    Fix: look at what reaches the net in training and in validation: order of axes, scale, transforms.
    Source: deepchecks, simple model comparison.
    """
    best = next((r for r in baselines.rivals if r.name == baselines.best), None)
    if best is None or not best.learns:
        return skipped("no simple model that looks at the inputs did better than a guess")
    told = f"{baselines.metric} {baselines.net}, {best.name} {best.score} ({baselines.train_items} training items)"
    measured = {"net": baselines.net, "best": best.score, "lead": baselines.lead}
    # A cost in nats has the size of the alphabet: the margin is a share of what a guess costs.
    guess = 1.0 if baselines.higher_is_better else max(r.score.mean for r in baselines.rivals)
    if baselines.lead.high >= -margin * guess:
        return passed(told, measured=measured)
    seen = baselines.train_headline
    if (best.score.mean - seen) * (1 if baselines.higher_is_better else -1) > 0:
        unfitted = f"the net has not fitted its training items yet ({seen:.3g}), so overfit will tell"
        return passed(f"{told}; {unfitted}", measured=measured)
    return warned(
        f"{told}: behind by {-baselines.lead.mean:.3g} although it fits its training items ({seen:.3g})",
        cause="worse-than-simple-model",
        where="model",
        measured=measured,
    )


@check(id="every-class-is-learnt")
def every_class_is_learnt(baselines: DumbBaselines, *, least: float = 0.5, elsewhere: float = 0.8) -> Verdict:
    """No class is predicted worse than by chance while the others are learnt.

    Why: labels that mean something else in validation, or a class that train lacks, hide in a good average.
    Fix: compare the class names and their order in the two splits; look at items of that class.
    Source: SageMaker Debugger, ClassImbalance (misprediction by class); Kapoor and Narayanan 2023.
    """
    if not baselines.by_class:
        return skipped("the targets are no classes")
    chance = 1 / len(baselines.by_class)
    recalls = sorted(baselines.by_class.values())
    usual = recalls[len(recalls) // 2]
    # A rare class comes late, and so may any: only one that is known in training, or that is not there, is lost.
    judged = [
        name
        for name in baselines.by_class
        if baselines.shares.get(name, 0.0) == 0
        or (baselines.shares[name] >= 0.5 * chance and baselines.seen_by_class.get(name, 0.0) > least)
    ]
    lost = {name: baselines.by_class[name] for name in judged if baselines.by_class[name] < least * chance}
    if lost and usual > max(elsewhere, 2 * chance):
        named = ", ".join(f"{name} {recall:.2f}" for name, recall in lost.items())
        return warned(
            f"recall of {named}, below chance, while half of the classes reach {usual:.2f}",
            cause="class-not-learnt",
            where=f"class {next(iter(lost))}",
            measured={"recall": min(lost.values())},
        )
    return passed(f"recall by class from {recalls[0]:.2f} to {recalls[-1]:.2f}", measured={"lowest": recalls[0]})

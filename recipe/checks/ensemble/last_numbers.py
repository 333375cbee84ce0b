"""Is the test split spent once and kept to, and do the numbers hide a class, a slice or a wrong confidence?"""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, passed, skipped, warned
from recipe.record.calibration import Confidence
from recipe.record.ensemble import Errors, TestResult
from recipe.record.human import BesidePeople
from recipe.record.interval import Interval
from recipe.record.slices import Slices


@check(id="test-opened-once")
def the_test_split_was_opened_once(test: TestResult) -> Verdict:
    """The test split was opened once.

    Why: every look at it that changes a decision makes its number a little less true.
    Fix: report the first number, or bring data that nobody has seen.
    Source: Karpathy 2019; Deep Learning Tuning Playbook.
    """
    measured = {"openings": test.openings}
    if test.split != "test":
        return passed("the test split is still sealed: validation is reported", measured=measured)
    if test.openings > 1:
        return warned(
            f"the test split has been opened {test.openings} times", cause="test-opened-again", measured=measured
        )
    return passed(f"opened once, {test.items} items", measured=measured)


@check(id="test-agrees-with-val")
def the_test_split_agrees_with_validation(test: TestResult, *, deviations: float = 3.0) -> Verdict:
    """What validation promised, the test split keeps.

    Why: a test metric far below validation means that validation was overfitted by tuning, or comes from elsewhere.
    Fix: look at inspect-data's drift and duplicates; use a larger validation set: data.val_fraction=0.2.
    Source: Kapoor and Narayanan 2023, L3.3.
    """
    if test.split != "test":
        return skipped("the test split is still sealed")
    sign = 1.0 if test.higher_is_better else -1.0
    drop = sign * (test.ensemble_val.mean - test.ensemble.mean)
    error = math.hypot(_deviation(test.ensemble), _deviation(test.ensemble_val))
    measured = {"val": test.ensemble_val, "test": test.ensemble, "standard_error": error}
    told = f"{test.metric} is {test.ensemble} on test, {test.ensemble_val} on validation"
    if error > 0 and drop > deviations * error:
        return warned(
            f"{told}: {drop / error:.1f} standard errors lower", cause="validation-optimism", measured=measured
        )
    if error > 0 and -drop > deviations * error:
        return warned(f"{told}: {-drop / error:.1f} standard errors higher", cause="splits-differ", measured=measured)
    return passed(told, measured=measured)


@check(id="every-class-recognised")
def every_class_is_recognised(errors: Errors, *, share: float = 0.5) -> Verdict:
    """Every class is recognised about as well as the others.

    Why: a good mean can hide a class that the net never says: a class without training examples, or swapped labels.
    Fix: look at the class in inspect-data: its count, its labels, and its row of the confusion matrix.
    Source: SageMaker Debugger, ClassImbalance (misprediction by class).
    """
    if not errors.recalls:
        return skipped("targets are numbers, not classes")
    known = [r for r in errors.recalls if r.recall.n > 0]
    overall = (errors.items - errors.wrong) / max(1, errors.items)
    lost = [r for r in known if r.recall.high < share * overall]
    worst = min(known, key=lambda r: r.recall.mean)
    measured = {"worst": worst.recall, "overall": overall}
    if lost:
        told = f"hardly recognised, while {overall:.1%} of all are: " + ", ".join(
            f"{r.name} {r.recall}" for r in lost[:5]
        )
        return warned(told, cause="class-lost", where=lost[0].name, measured=measured)
    return passed(f"the lowest recall is {worst.recall} of class {worst.name}", where=worst.name, measured=measured)


@check(id="no-weak-slice")
def no_part_of_the_data_is_much_worse(slices: Slices, *, times: float = 3.0, chance: float = 0.001) -> Verdict:
    """No part of the data has many times the errors of the rest.

    Why: a good mean can hide a group for which the model hardly works: a device, a language, dark pictures. Parts whose
    labels are more mixed are allowed as many times more errors.
    Fix: look at those items in the data browser; more of their kind, or augmentation towards them.
    Source: Chung et al. 2019 (slice finding); Fisher's or Welch's test, corrected for all slices by Holm.
    """
    # A part whose labels are more mixed is harder for any model: it may have as many times the errors.
    weak = [
        one
        for one in slices.slices
        if one.p < chance and one.inside.mean > times * max(1.0, one.harder) * one.outside.mean
    ]
    if not slices.slices or slices.slices[0].p > 0.05:
        return passed(f"none of {slices.looked} slices of {slices.split} has more errors than the rest, beyond chance")
    worst = max(weak or slices.slices[:1], key=lambda one: one.inside.mean / max(one.outside.mean, 1e-12))
    where = f"{worst.attribute} = {worst.value}"
    told = (
        f"{slices.what} {worst.inside} on the {worst.items} items with {where}, {worst.outside} on the others "
        f"(p {worst.p:.2g} among {slices.looked} slices)"
    )
    measured = {"inside": worst.inside, "outside": worst.outside, "p": worst.p, "looked": slices.looked}
    if weak:
        return warned(told, cause="weak-slice", where=where, measured=measured)
    mixed = f"; its labels are {worst.harder:.2g} times as mixed" if worst.harder > 1 else ""
    return passed(f"{told}{mixed}: less than {times:g} times what that explains", where=where, measured=measured)


@check(id="probabilities-calibrated")
def probabilities_mean_what_they_say(confidence: Confidence, *, rms: float = 0.03) -> Verdict:
    """The probabilities mean what they say: of answers given with 90 % confidence about 90 % are right.

    Why: whoever acts on a probability, or sets a threshold on it, acts on a wrong number otherwise.
    Fix: a larger validation set fits the temperature better: data.val_fraction=0.2; or label smoothing.
    Source: Guo et al. 2017; error with the bins' own variance taken off after Kumar et al. 2019; noise by simulation of
    a perfectly calibrated net.
    """
    after = confidence.after
    told = (
        f"on {after.answers} {confidence.split} answers confidence and accuracy are {after.ece} apart, a perfect net "
        f"stays below {after.noise:.3f} in 95 %; temperature {confidence.temperature:.3g}"
    )
    measured = {"ece": after.ece, "noise": after.noise, "rms": after.rms, "excess": after.excess}
    if after.ece.mean > after.noise and after.rms > rms:
        cause = "overconfident" if after.excess > 0 else "underconfident"
        return warned(told, cause=cause, measured=measured)
    return passed(told, measured=measured)


@check(id="no-worse-than-people")
def the_model_is_no_worse_than_people(beside_people: BesidePeople, *, least: int = 20) -> Verdict:
    """On the items that a person answered for, the model is not clearly worse than the person.

    Why: where a person is better by more than chance allows, the inputs tell more than the model reads, and it pays to
    look at those items; where the model is as good, the labels themselves become the limit. Labels were seen by
    neither, but validation chose the model.
    Fix: look at the items listed; more of their kind, a larger input or net; recipe annotate for narrower intervals.
    Source: Karpathy 2019, "establish a human baseline"; intervals paired by item.
    """
    enough = [one for one in beside_people.people if one.items >= least]
    if not enough:
        most = max(one.items for one in beside_people.people)
        return skipped(f"{most} items were annotated; from {least} on it is judged: recipe annotate")
    worst = min(enough, key=lambda one: one.lead.high)
    told = f"{beside_people.metric} on {worst.items} items: model {worst.model}, {worst.annotator} {worst.person}"
    measured = {"model": worst.model, "person": worst.person, "lead": worst.lead}
    if worst.lead.high < 0:
        item = f"; {worst.only_person[0]}" if worst.only_person else ""
        return warned(f"{told}{item}", cause="people-are-better", where=worst.annotator, measured=measured)
    return passed(told, measured=measured)


def _deviation(interval: Interval) -> float:
    width = (interval.high - interval.low) / 2 / 1.96
    return width if math.isfinite(width) else 0.0

"""Do the members differ and their average pay, is the test split spent once, is the saved model what was measured?"""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.ensemble import Errors, Members, Package, SizeCurve, TestResult
from recipe.record.human import BesidePeople
from recipe.record.interval import Interval


@check(id="members-trained")
def every_member_was_trained(members: Members) -> Verdict:
    """Every member of the ensemble was trained to its end.

    Why: a member that diverged or failed is missing, and so is the gain it was trained for.
    Fix: lower optimizer.lr, or train fewer members: ensemble.members=3.
    Source: Deep Learning Tuning Playbook, infeasible trials.
    """
    n = len(members.members)
    if members.lost:
        cause = "members-lost"
        return warned(
            f"{len(members.lost)} of {n + len(members.lost)} members came to nothing: {members.lost[0]}", cause=cause
        )
    return passed(f"{n} of {n} members were trained", measured={"members": n})


@check(id="members-differ")
def members_are_different_nets(members: Members) -> Verdict:
    """The members of the ensemble are different nets.

    Why: members that say the same on every item, as those that share one seed, cost their training and add nothing.
    Fix: give every member a seed of its own: ensemble.members=5, without ensemble.seeds.
    Source: Krogh and Vedelsby 1995 (ambiguity); Lakshminarayanan et al. 2017.
    """
    names = [member.name for member in members.members]
    mean = members.mean_disagreement
    if mean is None:
        return skipped("one member has nobody to differ from")
    if members.twins:
        pairs = ", ".join(f"{names[i]} and {names[j]}" for i, j in members.twins[:3])
        return failed(
            f"{len(members.twins)} pairs of members are the same net: {pairs}",
            cause="identical-members",
            measured={"twins": len(members.twins), "disagreement": mean},
        )
    told = f"two members differ on {mean:.2%} of {members.items} validation items on average"
    measured = {"disagreement": mean}
    return passed(told, measured=measured)


@check(id="ensemble-pays")
def the_ensemble_is_better_than_its_best_member(size_curve: SizeCurve) -> Verdict:
    """The ensemble is no worse than its best member on validation.

    Why: much weaker members pull the average down; then the best net alone is better, and cheaper.
    Fix: leave the weak members out: ensemble.top=0, or ensemble.members=1.
    Source: Karpathy 2019, "model ensembles are a pretty much guaranteed way to gain".
    """
    curve = size_curve
    n = curve.sizes[-1].size
    if n < 2:
        return skipped("there is one member only")
    told = (
        f"{n} members reach {curve.metric} {curve.ensemble}; over the best of them that is {_signed(curve.gain)}, "
        f"and {_signed(curve.loss_gain)} in loss; it tops out at {curve.tops_out}"
    )
    measured = {"gain": curve.gain, "loss_gain": curve.loss_gain, "tops_out": curve.tops_out}
    if curve.loss_gain.high < 0 and curve.gain.high < 0:
        return warned(told, cause="unequal-members", measured=measured)
    return passed(told, measured=measured)


@check(id="ensemble-size")
def another_member_would_not_pay(size_curve: SizeCurve, *, share: float = 0.05) -> Verdict:
    """The ensemble is large enough: its last member brought little.

    Why: a curve that still falls at its end has not been followed to where it tops out.
    Fix: train more members: ensemble.members=10.
    Source: Karpathy 2019, "about 2 % of accuracy".
    """
    last, n = size_curve.last_gain, size_curve.sizes[-1].size
    if last is None:
        return skipped("there is one member only")
    told = f"the last of {n} members takes {last} off a validation loss of {size_curve.loss:.4g}"
    measured = {"last_gain": last, "loss": size_curve.loss, "tops_out": size_curve.tops_out}
    if n >= 3 and last.low > 0 and last.mean > share * size_curve.loss:
        return warned(told, cause="still-rising", advice=f"ensemble.members={2 * n}", measured=measured)
    return passed(told, measured=measured)


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


@check(id="taken-home-model-agrees")
def the_saved_model_says_what_was_measured(package: Package, *, difference: float = 1e-5) -> Verdict:
    """The model that is taken home, read back from its files, gives the outputs that were evaluated.

    Why: weights without their preprocessing, or in another order, are another model.
    Fix: report it: this is a fault of recipe, or of a model whose outputs depend on something outside its weights.
    Source: issue rows E7; Karpathy 2019, "unit tests for the pipeline".
    """
    told = f"read back, its outputs differ by at most {package.difference:.2g} on {package.items} {package.split} items"
    measured = {"difference": package.difference, "items": package.items}
    if not package.difference <= difference:
        return failed(told, cause="not-reproduced", measured=measured)
    return passed(told, measured=measured)


def _deviation(interval: Interval) -> float:
    width = (interval.high - interval.low) / 2 / 1.96
    return width if math.isfinite(width) else 0.0


def _signed(interval: Interval) -> str:
    return f"{interval.mean:+.2g} [{interval.low:+.2g}, {interval.high:+.2g}]"

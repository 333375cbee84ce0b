"""Do the members differ, does their average pay, and are there enough of them?"""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.ensemble import Members, SizeCurve
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


def _signed(interval: Interval) -> str:
    return f"{interval.mean:+.2g} [{interval.low:+.2g}, {interval.high:+.2g}]"

"""D10: what reaches the net, and what it is to predict, have a size that nets like."""

from __future__ import annotations

import math
from collections.abc import Sequence

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.preprocessing import Prepared, Preprocessing, Side, TargetScale

WHERE = "data.preprocess"
NAMED = 3
"""Features that a message names."""


@check(id="preprocessed-inputs")
def inputs_reach_the_net_scaled(
    preprocessing: Preprocessing, *, large: float = 50.0, small: float = 0.02, far: float = 10.0, narrow: float = 0.1
) -> Verdict:
    """After preprocessing, every feature is finite and of the order of one.

    Why: initial weights, learning rates and weight decay all assume inputs of the order of one; and a feature whose
    scale a few numbers set is the same to the net in all other items.
    Fix: data.preprocess=auto, which chooses for each column from train, or what the message names.
    Source: torch-audit (max|x| > 50, std < 1e-5); Bengio 2012; measured on what reaches model(x), by feature.
    """
    # far, narrow: normals reach 4.5 deviations, exponentials 11, and leave a quartile range of 1.3 and 1.1.
    one = preprocessing
    told = (
        f"{_how(one)}: from {one.low:.3g} to {one.high:.3g}, mean {one.mean:.3g}, deviation {one.std:.3g} over "
        f"{len(one.features) or 'all'} features"
    )
    measured = {"low": one.low, "high": one.high, "mean": one.mean, "std": one.std}
    found = one.features or (_whole(one),)
    # What is not finite before is for inputs-finite to say.
    broken = [f for f in found if _finite(f.before) and not _finite(f.after)]
    if broken:
        return failed(
            f"{_how(one)}: {_listed(broken)} not finite", cause="preprocessing-not-finite", where=_where(broken),
            measured=measured,
        )  # fmt: skip
    sound = [f for f in found if _finite(f.after) and not f.constant]
    unscaled = [f for f in sound if f.after.farthest > large and max(abs(f.after.mean), f.after.std) > 5]
    unscaled.sort(key=lambda f: -f.after.farthest)
    if unscaled:
        return warned(
            f"{_how(one)}: {_listed(unscaled)} far from the order of one", cause="inputs-unscaled",
            where=_where(unscaled), advice=_advice(one), measured=measured,
        )  # fmt: skip
    # Among pixels some are rarely lit, and zeros and ones are rarely one.
    apart = [] if one.alike else [f for f in sound if not f.flags]
    vanish = [f for f in apart if f.after.std < small and f.after.low < f.after.high]
    if vanish:
        return warned(
            f"{_how(one)}: {_listed(vanish)} close to constant", cause="inputs-vanish", where=_where(vanish),
            advice=_advice(one), measured=measured,
        )  # fmt: skip
    ruled = [f for f in apart if f.after.farthest > far and 0 < f.after.middle < narrow]
    if ruled:
        return warned(
            f"{_how(one)}: a few numbers set the scale of {_listed(ruled)}; half of all lie within "
            f"{ruled[0].after.middle:.2g}", cause="outliers-rule-the-scale", where=_where(ruled),
            advice=_advice(one, "clip_standardize"), measured=measured,
        )  # fmt: skip
    return passed(told, measured=measured)


@check(id="constant-features")
def features_vary(preprocessing: Preprocessing) -> Verdict:
    """No feature is constant, and preprocessing makes none so.

    Why: a channel or column that never changes is no input; and one that preprocessing cuts to one value was one.
    Fix: leave it out; or another way for it: data.preprocess={columns: {COLUMN: standardize}}.
    Source: TheDeepChecker (std = 0: constant feature).
    """
    one = preprocessing
    found = [f for f in one.features if _finite(f.before)]
    # Texts of a table that occur in val only have columns of noughts; pictures have borders that never change.
    flat = [] if one.alike else [f for f in found if f.constant and not (f.flags and one.kind == "table")]
    erased = [] if one.alike else [f for f in found if not f.constant and f.after.low == f.after.high]
    measured = {"features": len(found), "constant": len(flat), "erased": len(erased)}
    if not found:
        return skipped("inputs have no features to look at one by one")
    if erased:
        return warned(
            f"{_how(one)} makes {_names(erased)} constant: {erased[0].before.low:.3g} to {erased[0].before.high:.3g} "
            f"become {erased[0].after.low:.3g}", cause="preprocessing-erases", where=_where(erased),
            advice=_advice(one), measured=measured,
        )  # fmt: skip
    if flat:
        return warned(
            f"{_names(flat)} never change{'s' * (len(flat) == 1)} (always {flat[0].before.low:.4g})",
            cause="constant-features", where=_where(flat), measured=measured,
        )  # fmt: skip
    return passed(f"each of {len(found):,} features varies, before and after", measured=measured)


@check(id="target-scale")
def targets_are_where_the_net_starts(
    target_scale: TargetScale, *, away: float = 3.0, large: float = 100.0, worth: float = 0.02, digits: float = 64.0
) -> Verdict:
    """The numbers to be predicted are of the order of one, or the net will start where they are.

    Why: a net starts around nought with outputs of the order of one; far from it the first part of training only
    learns the targets' mean and size, and the loss curve is a hockey stick.
    Fix: init.prior_bias=true: the last layer starts at the mean, and its outputs in the targets' size.
    Source: Karpathy 2019, "init well"; TheDeepChecker, unnormalised targets. float32 has 24 bits.
    """
    # away: then nine tenths of a fresh net's squared error are the mean. worth: from what baseline turns it on itself.
    one = target_scale
    k = max(range(len(one.means)), key=lambda k: _off(one, k))
    mean, std = one.means[k], one.stds[k]
    which = f"target {k}: " if len(one.means) > 1 else ""
    told = f"{which}mean {mean:.4g}, deviation {std:.4g}"
    measured = {"mean": mean, "std": std, "saved": one.saved}
    lost = [j for j, step in enumerate(one.steps) if 0 < one.stds[j] < digits * step]
    if lost:
        return warned(
            f"the targets' deviation {one.stds[lost[0]]:.4g} is {one.stds[lost[0]] / one.steps[lost[0]]:.3g} steps of "
            f"float32 at their size ({abs(one.means[lost[0]]):.4g}): digits are lost before a net sees them",
            cause="target-lost-in-rounding", where="target", measured=measured,
            advice="take a round number off the targets in your data, and add it to what is predicted",
        )  # fmt: skip
    if abs(mean) <= away * std and 1 / large <= std <= large:
        return passed(f"{told}: within reach of a fresh net", measured=measured)
    told = f"unscaled: {told}"
    does = "the last layer's bias starts at the mean, and its outputs are multiplied by about the deviation"
    if one.prior_bias:
        return passed(f"{told}; {does} (init.prior_bias=true)", measured=measured)
    if not one.given and one.saved > worth:
        return passed(
            f"{told}; baseline turns init.prior_bias on if that saves {worth:.0%} of the initial loss, here about "
            f"{one.saved:.0%}: {does}",
            measured=measured,
        )
    why = (
        "and init.prior_bias=false is given"
        if one.given
        else "and as the mean is near nought, baseline will find nothing to save by init.prior_bias"
    )
    return warned(
        f"{told}, {why}; with it {does}", cause="target-unscaled", where="target", advice="init.prior_bias=true",
        measured=measured,
    )  # fmt: skip


def _off(one: TargetScale, k: int) -> float:
    """How far a target is from mean nought and deviation one."""
    std = max(one.stds[k], 1e-12)
    return max(abs(one.means[k]) / std, std, 1 / std)


def _how(one: Preprocessing) -> str:
    return "data.preprocess by column" if isinstance(one.setting, dict) else f"data.preprocess={one.name}"


def _advice(one: Preprocessing, otherwise: str = "standardize") -> str:
    """What is proposed, where that is something else than what is there."""
    way = one.proposed if one.given or one.proposed not in (one.name, "auto") else otherwise
    return f"data.preprocess={way}"


def _where(features: Sequence[Prepared]) -> str:
    return features[0].feature or WHERE


def _names(features: Sequence[Prepared]) -> str:
    named = ", ".join(repr(f.feature) for f in features[:NAMED])
    return named + (f" and {len(features) - NAMED} more features" if len(features) > NAMED else "")


def _listed(features: Sequence[Prepared]) -> str:
    """The first few with their numbers; for numbers that are nobody's, these alone."""
    told = [f"{f.feature!r} ({_numbers(f.after)})" if f.feature else _numbers(f.after) for f in features[:NAMED]]
    return ", ".join(told) + (f" and {len(features) - NAMED} more" if len(features) > NAMED else "")


def _numbers(side: Side) -> str:
    return f"{side.low:.3g} to {side.high:.3g}, mean {side.mean:.3g}, deviation {side.std:.3g}"


def _finite(side: Side) -> bool:
    return all(map(math.isfinite, (side.low, side.high, side.mean, side.std)))


def _whole(one: Preprocessing) -> Prepared:
    """All numbers as one feature, where they were not looked at one by one."""
    side = Side(low=one.low, high=one.high, mean=one.mean, std=one.std, farthest=max(abs(one.low), abs(one.high)))
    return Prepared(feature="", option=one.name, before=Side(low=0, high=1, mean=0, std=1), after=side)

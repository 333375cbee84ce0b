"""D10: what reaches the net has a size that nets like."""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.features import Preprocessing


@check(id="preprocessed-inputs")
def inputs_reach_the_net_scaled(preprocessing: Preprocessing, *, large: float = 50.0, small: float = 0.02) -> Verdict:
    """After preprocessing, inputs are finite and of the order of one.

    Why: initial weights, learning rates and weight decay all assume inputs of the order of one.
    Fix: data.preprocess=auto, or the one that the message names.
    Source: torch-audit (max|x| > 50, std < 1e-5); Bengio 2012; measured on what reaches model(x).
    """
    one = preprocessing
    how = f"data.preprocess={one.name}"
    told = f"{how}: from {one.low:.3g} to {one.high:.3g}, mean {one.mean:.3g}, deviation {one.std:.3g}"
    measured = {"low": one.low, "high": one.high, "mean": one.mean, "std": one.std}
    if not all(map(math.isfinite, (one.low, one.high, one.mean, one.std))):
        return failed(
            f"{told}: not finite", cause="preprocessing-not-finite", where="data.preprocess", measured=measured
        )
    advice = f"data.preprocess={one.proposed}"
    if one.std < small:
        return warned(
            f"{told}: close to constant",
            cause="inputs-vanish",
            where="data.preprocess",
            advice=advice,
            measured=measured,
        )
    # A few numbers far out are a heavy tail; a mean or deviation far from one is a scale.
    if max(abs(one.low), abs(one.high)) > large and max(abs(one.mean), one.std) > 5:
        return warned(
            f"{told}: far from the order of one",
            cause="inputs-unscaled",
            where="data.preprocess",
            advice=advice,
            measured=measured,
        )
    return passed(told, measured=measured)

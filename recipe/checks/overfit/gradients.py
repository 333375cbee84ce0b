"""Gradients through the depth of the net, and over time."""

from __future__ import annotations

import math
from statistics import median

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.history import History


@check(id="gradient-flow")
def gradients_reach_every_layer(
    run: History, *, vanishing: float = 1e-3, tiny: float = 1e-4, exploding: float = 1e4
) -> Verdict:
    """Gradients arrive at the first layers about as large as at the last.

    Why: behind saturated or badly scaled layers nothing is learnt, however long the training. Judged on the samples of
    the first half of the run: the first layer's gradient over the last's below `vanishing` while itself below `tiny`;
    or any layer's over the last's above `exploding`.
    Fix: model.activation=relu or elu, model.norm=batch, skip connections (model=resnet), init.scheme=he; for exploding
    gradients train.clip_norm=1.0 as well.
    Source: AutoTrainer (ICSE 2021).
    """
    norms = list(run.typical("gradient_norm").items())
    if len(norms) < 2:
        return skipped("fewer than two layers with weights were sampled")
    (first, small), (last, end) = norms[0], norms[-1]
    measured = {first: small, last: end}
    if end == 0 and all(norm == 0 for _, norm in norms):
        return failed("no layer gets a gradient", measured=measured, cause="no-gradient")
    ratio = small / end if end else math.inf
    if ratio < vanishing and small < tiny:
        return failed(
            f"the gradient at {first} is {small:.1e}, at {last} it is {end:.1e}: it vanishes on the way",
            measured=measured,
            cause="vanishing-gradient",
            where=first,
        )
    name, largest = max(norms, key=lambda item: item[1])
    if end and largest / end > exploding:
        return warned(
            f"the gradient at {name} is {largest:.1e}, at {last} it is {end:.1e}: it explodes on the way",
            measured=measured,
            cause="exploding-gradient",
            where=name,
        )
    return passed(f"the gradient at {first} is {small:.2g}, at {last} {end:.2g}", measured=measured)


@check(id="gradient-spikes")
def gradients_do_not_explode_in_time(run: History, *, times: float = 100.0) -> Verdict:
    """No step's gradient is out of all proportion to the run's own.

    Why: a spike undoes in one step what hundreds have learnt. `times`: the median norm of the run so far. A loss that
    has become tiny has tiny gradients too: only spikes above the first sampled norm count.
    Fix: train.clip_norm=… at about twice the median norm, a lower optimizer.lr, or schedule=warmup_cosine.
    Source: trainproof, with the run's own history.
    """
    norms = [sample.gradient_norm for sample in run.samples]
    if len(norms) < 6:
        return skipped(f"{len(norms)} sampled steps are too few")
    for place in range(5, len(norms)):
        usual, now = median(norms[:place]), norms[place]
        if not math.isfinite(now) or now > max(times * usual, norms[0]):
            step = run.samples[place].step
            return warned(
                f"the gradient norm was {now:.3g} at step {step}; its median until then was {usual:.3g}",
                measured={"norm": now, "median": usual, "step": step},
                cause="gradient-spike",
            )
    return passed(f"gradient norms stay between {min(norms):.2g} and {max(norms):.2g}")

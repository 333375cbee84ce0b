"""B12, B16 and B20: how the net learns along the way, part by part, and below which rate."""

from __future__ import annotations

import math
from statistics import median

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.baseline import OneBatch
from recipe.record.learning import Dynamics, Part, SimpleToComplex
from recipe.record.overfit import LearningRateEdge

STILL = 1e-9
"""A loss that moves by less than this share of itself does not move."""


@check(id="predictions-settle")
def predictions_move_steadily_towards_the_truth(
    dynamics: Dynamics,
    edge: LearningRateEdge | None = None,
    *,
    jitter: float = 0.08,
    steady: float = 0.1,
    solved: float = 0.8,
    gain: float = 0.05,
    still: float = 0.03,
    steps: int = 100,
) -> Verdict:
    """Predictions on fixed validation items move towards the truth, neither to and fro nor hardly at all.

    Why: jitter that brings nothing hints at a rate too high, predictions that creep in one direction at one too low.
    Too high: `jitter` from look to look in the second half, or less than `steady` of the way travelled gained, while
    the loss falls by less than `gain` of itself and under `solved` of it is gone. Too low: less than `still` of what
    there was to learn is learnt in 200 steps (in fewer, less), on a straight way.
    Fix: optimizer.lr three to ten times smaller or larger, as the finding says.
    Source: Karpathy 2019, "visualize prediction dynamics"; calibrated by sweeps of the rate from 1e-4 of
    its edge to twice that, on 13 nets and data sets with Adam and SGD.
    """
    run = dynamics
    taken = run.steps[-1]
    straight = run.moved / run.path if run.path > 0 else 1.0
    measured = {
        "flips": run.last.flips, "jitter": run.last.jitter, "drift": run.last.drift, "straightness": straight,
        "forgotten": run.forgotten, "learnt": run.progress, "late_gain": run.late_gain, "right": run.right[-1],
    }  # fmt: skip
    told = (
        f"after {taken} steps {run.right[-1]:.0%} of {len(run.items)} watched items are right; late in training "
        f"{run.last.flips:.1%} change from look to look, {straight:.0%} of the way led somewhere"
    )
    if taken < steps:
        return skipped(f"{taken} steps are too few to see how predictions settle")
    restless = run.last.jitter > jitter or (straight < steady and run.path > 0.5)
    if restless and run.progress < solved and run.late_gain < gain:
        return warned(
            f"{told}, while the loss no longer falls: a hint at a rate too high",
            cause="rate-too-high",
            where="optimizer.lr",
            advice="optimizer.lr three to ten times smaller",
            measured=measured,
        )
    if run.progress < still * min(1.0, taken / 200):
        far = edge is None or edge.rate < edge.edge.low / 30
        line = f"{told}; {max(0.0, run.progress):.1%} of what there was to learn is learnt"
        if straight > 0.5 and far:
            return warned(f"{line}: a hint at a rate too low", cause="rate-too-low", where="optimizer.lr",
                          advice="optimizer.lr ten times larger", measured=measured)  # fmt: skip
        return warned(f"{line}: the net stands still", cause="predictions-stand-still", where="model",
                      advice="see first overfit-one-batch, gradients-keep-their-scale and units-are-alive",
                      measured=measured)  # fmt: skip
    return passed(told, measured=measured)


@check(id="simple-to-complex")
def every_part_is_learnt_when_it_is_added(
    simple_to_complex: SimpleToComplex,
    *,
    typical: float = 0.6,
    least: float = 0.3,
    known: float = 0.5,
    val_items: int = 10,
) -> Verdict:
    """Starting from two classes, each part that is added is learnt as those before it were.

    Why: what breaks when one class or one part of the range comes in has its cause there: wrong labels, another unit,
    outputs that cannot reach it. A part counts as lost that has gone less than `least` of the way the others went, once
    these have gone `typical`; or that is `known` in training and hardly recognised in validation. Slow, hard or rare
    parts are left alone. Of two classes, a quarter is lost that is not learnt and lies deep within the other class.
    Fix: look at the items of the part that is named: recipe inspect-data.
    Source: Karpathy 2019, "complexify only one at a time"; calibrated on digits,
    Fashion-MNIST (its shirts go 0.43 of the way the others go) and grey CIFAR-10; a random class goes 0.27 or less.
    """
    found = simple_to_complex
    usual = median(part.at_last for part in found.parts)
    told = f"{len(found.sizes)} steps of {found.steps}, up to {len(found.parts)} parts: "
    by_band = {"band": _band_lost, "clearness": _misplaced}.get(found.unit)
    lost = by_band(found, typical, least) if by_band else _lost(found, typical, least, usual)
    measured = {"usual": usual, "lowest": min(part.at_last for part in found.parts)}
    if lost is not None:
        before = found.sizes[lost.step - 1] if lost.step else 0
        return warned(
            f"{told}it breaks at {_named(found, lost)}, added after {before} parts: its {lost.items} items have gone "
            f"{max(0.0, lost.at_last):.0%} of the way to the lowest loss, others {usual:.0%}",
            cause="part-not-learnt",
            where=_named(found, lost),
            measured=measured,
        )
    strange = _strange(found, known, val_items)
    if strange is not None and strange.val is not None:
        swapped = strange.val.share > 0.5 and strange.val.taken_for != strange.name
        return warned(
            f"{told}it breaks at {_named(found, strange)}: {strange.right:.0%} right in training, "
            f"{strange.val.right.mean:.0%} of {strange.val.items} in validation, where {strange.val.share:.0%} are "
            f"taken for {strange.val.taken_for}",
            cause="part-differs-in-validation" if swapped else "part-not-learnt",
            where=_named(found, strange),
            advice=f"compare what train and val call {strange.name} and {strange.val.taken_for}",
            measured=measured,
        )
    slow = "" if usual >= typical else "; too little to tell the parts apart"
    return passed(f"{told}at the end they have gone {usual:.0%} of the way to the lowest loss{slow}", measured=measured)


def _named(found: SimpleToComplex, part: Part) -> str:
    return f"class {part.name}" if found.unit == "class" else part.name


def _lost(found: SimpleToComplex, typical: float, least: float, usual: float) -> Part | None:
    """The first part that has hardly been learnt at all, neither at its step nor since, where others have."""
    if len(found.parts) < 3:
        usual = max(part.at_last for part in found.parts)
    fair = 0.5 * sum(part.items for part in found.parts) / len(found.parts)
    bad = [p for p in found.parts if p.at_last < least * usual and p.learnt < usual / 2 and p.items >= fair]
    return bad[0] if bad and usual >= typical and len(bad) <= max(1, len(found.parts) / 3) else None


def _band_lost(found: SimpleToComplex, typical: float, least: float) -> Part | None:
    """The first band that is not learnt at its step, when one before it was: later steps change the scale."""
    best = 0.0
    for part in found.parts:
        if best >= typical and part.learnt < least * best:
            return part
        best = max(best, part.learnt)
    return None


def _misplaced(found: SimpleToComplex, typical: float, least: float) -> Part | None:
    """A quarter that is not learnt, and lies half as deep in the other class as the clearest does in its own.

    The least clear items of two classes that overlap are not learnt either, and lie a third as deep at most.
    """
    deep = [part for part in found.parts if part.depth is not None and part.depth <= -0.5]
    lost = _band_lost(found, typical, least)
    return lost if lost in deep else None


def _strange(found: SimpleToComplex, known: float, val_items: int) -> Part | None:
    """A class that is known in training and for sure not half as well recognised in validation as most are."""
    seen = [(p, p.val) for p in found.parts if p.val is not None and p.val.items >= val_items]
    usual = median(val.right.mean for _, val in seen) if len(seen) > 2 else 0.0
    fair = 0.5 * sum(p.items for p in found.parts) / len(found.parts)
    known_ones = [(p, val) for p, val in seen if p.right > known and p.items >= fair and usual >= 0.6]
    bad = [(p, val) for p, val in known_ones if val.right.high < usual / 2]
    return min(bad, key=lambda pair: pair[1].right.mean)[0] if bad else None


@check(id="rate-below-edge")
def the_rate_lies_below_the_edge(
    edge: LearningRateEdge, one_batch: OneBatch | None = None, *, lowest: float = 1e-4
) -> Verdict:
    """The configured rate lies below the largest one that does not diverge, and not so far below that nothing moves.

    Why: above the edge nothing is learnt; far below it a training takes hundreds of times as long. Adam's 3e-4 lies up
    to four thousand times below the edge of small nets, so that a low rate is told only when it is below `lowest` of
    the edge and a single batch was not learnt with it either.
    Fix: a tenth of the edge is a start: optimizer.lr=….
    Source: Bengio 2012, section 3.1.1; short runs at constant rates instead of a rising one (Lightning PR 21171).
    """
    low, high = edge.edge.low, edge.edge.high
    told = (
        f"{edge.optimizer} holds up to {low:.2g} and diverges from {high:.2g} ({edge.edge.n} seeds, {edge.steps} steps)"
    )
    measured = {"edge": edge.edge, "rate": edge.rate, "start": edge.start}
    advice = f"optimizer.lr={edge.start:g}"
    if all(abs(run.ratio - 1) < STILL for run in edge.runs):
        return skipped("the loss is the same at every rate: no step moves it; see gradients-reach-every-layer")
    if low == 0:
        return failed(f"at every rate down to {min(r.rate for r in edge.runs):.1g} the loss rises: the steps go uphill",
                      cause="uphill", where="optimizer", advice="optimizer.maximize=false, and look at the loss's sign",
                      measured=measured)  # fmt: skip
    if edge.rate >= high:
        return failed(f"the rate {edge.rate:g} diverges: {told}", cause="rate-too-high", where="optimizer.lr",
                      advice=advice, measured=measured)  # fmt: skip
    if edge.rate > low / 2:
        return warned(f"the rate {edge.rate:g} is at the edge: {told}", cause="rate-too-high", where="optimizer.lr",
                      advice=advice, measured=measured)  # fmt: skip
    slow = one_batch is not None and one_batch.attempts[0].stopped != "learnt"
    if slow and edge.rate < lowest * low and math.isfinite(low):
        return warned(
            f"the rate {edge.rate:g} is {low / edge.rate:,.0f} times below the edge, and one batch is not learnt with "
            f"it: {told}",
            cause="rate-too-low",
            where="optimizer.lr",
            advice=advice,
            measured=measured,
        )
    return passed(f"{told}; the rate is {edge.rate:g}, {edge.start:g} is a start", measured=measured)

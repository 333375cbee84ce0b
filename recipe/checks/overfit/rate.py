"""The learning rate: below the edge, alive to the end, neither too small nor too large for the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, variance

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.history import History
from recipe.record.overfit import CapacityLadder, LearningRateEdge
from recipe.record.setup import Setup


@check(id="learning-rate-edge")
def the_rate_is_below_the_edge(learning_rate_edge: LearningRateEdge, *, lowest: float = 1e-4) -> Verdict:
    """The learning rate lies below the largest one that does not diverge, and not absurdly far below.

    Why: above the edge nothing is learnt; a rate thousands of times below it wastes the whole run. `lowest`: share of
    the edge below which the rate is called too low.
    Fix: start from a tenth of the edge: optimizer.lr=….
    Source: Bengio 2012, section 3.1.1.
    """
    edge = learning_rate_edge
    told = (
        f"{edge.optimizer} holds up to {edge.edge.low:.2g} and diverges from {edge.edge.high:.2g} ({edge.edge.n} seeds)"
    )
    measured = {"edge": edge.edge, "rate": edge.rate, "start": edge.start}
    advice = f"optimizer.lr={edge.start:g}"
    if edge.edge.low == 0:
        return failed(
            f"at every rate down to {min(r.rate for r in edge.runs):.1g} the loss rises: the steps go uphill",
            measured=measured,
            cause="uphill",
            advice="optimizer.maximize=false, and look at the sign of the loss",
        )
    if edge.rate >= edge.edge.high:
        return failed(
            f"the rate {edge.rate:g} diverges: {told}", measured=measured, cause="rate-too-high", advice=advice
        )
    if edge.rate > edge.edge.low / 2:
        return warned(
            f"the rate {edge.rate:g} is at the edge: {told}", measured=measured, cause="rate-too-high", advice=advice
        )
    if edge.rate < lowest * edge.edge.low:
        return warned(
            f"the rate {edge.rate:g} is {edge.edge.low / edge.rate:,.0f} times below the edge: {told}",
            measured=measured,
            cause="rate-too-low",
            advice=advice,
        )
    return passed(f"{told}; the rate is {edge.rate:g}", measured=measured)


# Share of its peak at which a rate still teaches.
_LARGE = 0.3


@check(id="effective-rate")
def the_rate_lasts_while_there_is_something_to_learn(
    run: History,
    capacity_ladder: CapacityLadder | None = None,
    *,
    dead: float = 0.01,
    share: float = 0.8,
    least: float = 0.1,
    flat: float = 0.03,
) -> Verdict:
    """The learning rate stays alive while there is still something to learn.

    Why: a schedule that counts in steps or in another data set's epochs ends the training long before the run ends,
    without any error. `dead`: share of the peak below which a rate no longer counts; `share`: of the run that it has
    to live; `least`: its mean over the run, as a share of the peak. `flat`: a loss that fell by less than this share
    of itself when the rate died had flattened before, and lost nothing.
    Fix: schedule=constant here; later a schedule whose lengths are fractions of the run.
    Source: Karpathy 2019, "do not trust learning rate decay defaults".
    """
    if not run.rates:
        return skipped("no step was taken")
    peak = max(run.rates)
    if peak <= 0:
        return failed("the rate is zero throughout", cause="rate-zero")
    alive = max(i for i, rate in enumerate(run.rates) if rate >= dead * peak) + 1
    part, spent = alive / len(run.rates), fmean(run.rates) / peak
    measured = {"peak": peak, "last": run.rates[-1], "alive": part, "mean_of_peak": spent}
    told = (
        f"the rate is above {dead:.0%} of its peak {peak:.2g} for {part:.0%} of the run, {spent:.0%} of it on average"
    )
    if (part >= share and spent >= least) or run.stopped == "target-reached":
        return passed(told, measured=measured)
    died = alive if part < share else _faded(run.rates, least * peak)
    # A rate that dies slowly flattens the loss itself: what counts is whether it fell while the rate was large.
    fell = _fell_before(run.losses, _faded(run.rates, _LARGE * peak))
    measured["still_fell_by"] = fell
    if fell <= flat:
        return passed(f"{told}; by step {died} the loss had flattened", measured=measured)
    text = (
        f"the rate is below {dead if part < share else least:.0%} of its peak {peak:.2g} from step {died} "
        f"of {len(run.rates)} on, while the loss was falling by {fell:.0%}"
    )
    if capacity_ladder is not None and capacity_ladder.best.fits:
        return warned(
            f"{text}; the training set is fitted all the same", measured=measured, cause="schedule-decays-early"
        )
    return failed(text, measured=measured, cause="schedule-decays-early", advice="schedule=constant")


def _faded(rates: Sequence[float], level: float) -> int:
    """The step from which on a rate stays below a level."""
    return max((i for i, rate in enumerate(rates) if rate >= level), default=-1) + 1


def _fell_before(losses: Sequence[float], step: int) -> float:
    """How much the mean loss fell just before a step, as a share of itself, less what batches alone make it differ."""
    part = step // 5
    if part < 5:
        return 1.0
    before, after = losses[step - 2 * part : step - part], losses[step - part : step]
    noise = math.sqrt((variance(before) + variance(after)) / part)
    level = abs(fmean(before))
    return (fmean(before) - fmean(after) - 2 * noise) / level if level else 0.0


@check(id="update-size")
def the_steps_are_neither_tiny_nor_huge(
    run: History, setup: Setup | None = None, *, low: float = 3e-5, high: float = 0.1
) -> Verdict:
    """Each step changes the weights by about a thousandth of themselves.

    Why: updates far below that learn nothing in the time there is, far above it they throw away what was learnt.
    Judged by the real update of each layer (after momentum, Adam and decay), median over the first half of the run.
    `low`, `high`: |change| / |weights|.
    Fix: too small: raise optimizer.lr, lower optimizer.eps, drop train.clip_norm; too large: optimizer.lr a tenth.
    Source: CS231n, "ratio of weights:updates".
    """
    # Layers that never change are frozen, which is not the question here.
    ratios = {name: ratio for name, ratio in run.typical("update_ratio").items() if ratio}
    if not ratios:
        return skipped("no step was sampled")
    typical = median(ratios.values())
    layer, largest = max(ratios.items(), key=lambda item: item[1])
    measured = {"median": typical, "largest": largest}
    slow = run.steps >= 10 and fmean(run.losses[-max(1, run.steps // 10) :]) > 0.5 * run.losses[0]
    if typical < low and slow:
        cause, reason, advice = _why_tiny(run, setup)
        return failed(
            f"a step changes the weights by {typical:.1e} of themselves{reason}",
            measured=measured,
            cause=cause,
            advice=advice,
        )
    if typical > high:
        return warned(
            f"a step changes the weights by {typical:.2g} of themselves",
            measured=measured,
            cause="rate-too-high",
            where=layer,
        )
    return passed(
        f"a step changes the weights by {typical:.1e} of themselves (at most {largest:.1e}, {layer})", measured=measured
    )


def _why_tiny(run: History, setup: Setup | None) -> tuple[str, str, str]:
    """Cause, reason and advice for updates that are too small."""
    if setup is None:
        return "rate-too-low", "", "optimizer.lr=… (ten times)"
    if setup.clip_norm and run.samples and fmean(sample.clipped for sample in run.samples) > 0.9:
        return "clipping-too-tight", f": gradients are clipped to {setup.clip_norm:g}", "train.clip_norm=null"
    eps = setup.options.get("eps")
    if isinstance(eps, (int, float)) and eps > 1e-4:
        return "epsilon-too-large", f": {setup.optimizer} divides by at least eps={eps:g}", "optimizer.eps=1e-8"
    rate = setup.options.get("initial_lr", setup.options.get("lr"))
    return (
        "rate-too-low",
        f": the rate is {rate:g}" if isinstance(rate, (int, float)) else "",
        "optimizer.lr=… (ten times)",
    )


@check(id="clipping-leaves-room")
def gradient_clipping_is_the_exception(
    run: History, setup: Setup, *, share: float = 0.9, below: float = 0.01
) -> Verdict:
    """Gradient clipping cuts the exceptional gradient, not every one to a crumb.

    Why: with a limit far below the usual norm every step has the same tiny length, and the rate loses its meaning.
    `share` of the sampled steps that may be clipped when the limit is under `below` of the median norm.
    Fix: train.clip_norm=… at about the largest norm of a calm stretch, or null.
    Source: DeepCrime, clipping operator (Humbatova et al. 2021).
    """
    if not setup.clip_norm:
        return skipped("gradients are not clipped")
    if not run.samples:
        return skipped("no step was sampled")
    clipped = fmean(sample.clipped for sample in run.samples)
    usual = median(sample.gradient_norm for sample in run.samples)
    measured = {"clipped": clipped, "median_norm": usual, "clip_norm": setup.clip_norm}
    if clipped >= share and setup.clip_norm < below * usual:
        return warned(
            f"{clipped:.0%} of the steps are clipped to {setup.clip_norm:g}; the usual norm is {usual:.2g}",
            measured=measured,
            cause="clipping-too-tight",
            advice=f"train.clip_norm={usual:.2g}",
        )
    return passed(
        f"{clipped:.0%} of the steps are clipped to {setup.clip_norm:g}; the usual norm is {usual:.2g}",
        measured=measured,
    )


@check(id="decay-does-not-dominate")
def weight_decay_is_weaker_than_the_data(setup: Setup, *, pull: float = 2.0, share: float = 0.95) -> Verdict:
    """Weight decay pulls on the weights less than the data do.

    Why: a decay that is stronger than the gradient shrinks every weight to nothing: the loss stays at chance while the
    total loss falls nicely. `pull`: |decay · weights| / |gradient| at the start. `share` of a weight that decoupled
    decay may take away over the run.
    Fix: optimizer.weight_decay=0 while fitting the training set.
    Source: TheDeepChecker.
    """
    measured = {"pull": setup.pull, "decoupled": setup.decoupled}
    if setup.pull is not None and setup.pull >= pull:
        return failed(
            f"weight decay pulls {setup.pull:.1f} times as hard as the data at the start",
            measured=measured,
            cause="decay-dominates",
            where="optimizer.weight_decay",
        )
    if setup.decoupled > share:
        return warned(
            f"decay alone takes {setup.decoupled:.1%} off every weight over the run",
            measured=measured,
            cause="decay-dominates",
            where="weight_decay",
        )
    if setup.pull is None and setup.decoupled == 0:
        return passed("no weight decay")
    return passed(
        f"decay pulls {setup.pull or 0:.2g} times as hard as the data, and takes {setup.decoupled:.1%} off in all",
        measured=measured,
    )

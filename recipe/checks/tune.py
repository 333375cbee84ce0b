"""Was the search sound, was its space wide enough, and does the winner hold on fresh seeds?"""

from __future__ import annotations

from statistics import median

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.axis import Axis
from recipe.record.tune import Rerun, Searched, SearchPlan


@check(id="search-on-validation")
def the_search_is_judged_on_validation_data(search_plan: SearchPlan) -> Verdict:
    """The search is judged on the validation split.

    Why: what is tuned on training data rewards memorising; what is tuned on the test split spends it.
    Fix: search.objective=val/loss, or leave it at auto.
    Source: Kapoor and Narayanan 2023, L1.
    """
    told = {"measured": {"split": search_plan.split, "metric": search_plan.metric}}
    if search_plan.split == "val":
        return passed(f"trials are compared by {search_plan.split} {search_plan.metric}", **told)
    cause = f"tuned-on-{search_plan.split}"
    return failed(f"the objective is {search_plan.split}/{search_plan.metric}, not validation", cause=cause, **told)


@check(id="search-direction")
def the_search_goes_in_the_metrics_direction(search_plan: SearchPlan) -> Verdict:
    """The search goes in the direction in which its metric gets better.

    Why: a search that maximises the loss hands over its worst trial as the best one.
    Fix: search.direction=auto, or the direction that the message names.
    Source: Humbatova et al. 2020, suboptimal tuning.
    """
    plan = search_plan
    told = {
        "measured": {"metric": plan.metric, "direction": plan.direction},
        "expected": {"direction": plan.natural or "unknown"},
    }
    if plan.natural is None:
        return passed(f"{plan.metric} is yours: {plan.direction} is taken on trust", **told)
    if plan.natural == plan.direction:
        return passed(f"{plan.direction} {plan.split} {plan.metric}", **told)
    return failed(
        f"it would {plan.direction} {plan.split} {plan.metric}, which is better when it is "
        f"{'lower' if plan.natural == 'minimize' else 'higher'}; nothing was searched",
        cause="wrong-direction",
        advice=f"search.direction={plan.natural}",
        where="search.direction",
        **told,
    )


@check(id="trials-finished")
def most_trials_finish(searched: Searched, *, lost: float = 0.5) -> Verdict:
    """Most trials of the search come to a usable number.

    Why: diverged and failed trials are results, but a search that is mostly made of them says little about the rest.
    Fix: narrow the range that the lost trials have in common, the learning rate first.
    Source: Deep Learning Tuning Playbook, infeasible trials.
    """
    counts = {
        status: sum(t.status == status for t in searched.tried)
        for status in ("finished", "pruned", "diverged", "failed")
    }
    n = len(searched.tried)
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    measured = {**counts, "trials": n}
    broken = counts["diverged"] + counts["failed"]
    if not counts["finished"]:
        cause = "all-diverged" if counts["diverged"] else "all-failed"
        return failed(f"no trial of {n} finished ({told}): {_first_note(searched)}", cause=cause, measured=measured)
    if counts["failed"]:
        return warned(f"{told} of {n}: {_first_note(searched)}", cause="failed-trials", measured=measured)
    if broken > lost * n:
        return warned(
            f"{told} of {n}{_common_side(searched)}",
            cause="mostly-diverged",
            advice=_narrower(searched),
            measured=measured,
        )
    return passed(f"{told} of {n}", measured=measured)


@check(id="best-inside-range")
def the_best_value_lies_inside_its_range(searched: Searched, *, margin: float = 0.1) -> Verdict:
    """The best value of every searched number lies inside its range, not at an end of it.

    Why: at an end, the optimum is probably beyond it.
    Fix: widen the range as proposed, and search again.
    Source: CS231n "random search"; Deep Learning Tuning Playbook, "bad search space boundaries".
    """
    at_ends = [(axis, end) for axis in searched.axes if (end := searched.edge(axis, margin))]
    measured = {axis.key: searched.best and searched.value_at(axis, searched.best) for axis in searched.axes}
    if at_ends:
        ends = "; ".join(f"{a.key} is best at the {e} end of {a.low:.3g} … {a.high:.3g}" for a, e in at_ends)
        advice = " ".join(_override(wide := axis.wider(end), wide.low, wide.high) for axis, end in at_ends)
        return warned(
            ends, cause="range-too-narrow", advice=advice, where=", ".join(a.key for a, _ in at_ends), measured=measured
        )
    widened = [axis for axis in searched.axes if axis.narrow]
    if widened:
        after = "; ".join(f"{a.key} to {a.low:.3g} … {a.high:.3g}" for a in widened)
        return passed(f"after widening {after}, no best value lies at an end", measured=measured)
    return passed(f"none of {len(searched.axes)} ranges has its best value at an end", measured=measured)


@check(id="distinct-values")
def every_number_is_tried_at_many_values(searched: Searched, *, share: float = 0.5) -> Verdict:
    """Every searched number is tried at many different values.

    Why: a grid tries few values of each; where one of several numbers matters, random search finds it sooner.
    Fix: search=random (or sobol, tpe).
    Source: Karpathy 2019, "random over grid search"; Bergstra and Bengio 2012.
    """
    n = sum(bool(t.change) for t in searched.tried)
    counts = {a.key: searched.distinct(a) for a in searched.axes}
    possible: dict[str, float] = {
        a.key: min(n, a.high - a.low + 1) if a.scale == "integer" else n for a in searched.axes
    }
    numbers = [a for a in searched.axes if a.scale != "choice"]
    few = [a for a in numbers if counts[a.key] < share * possible[a.key]] if n >= 8 else []
    if few:
        told = ", ".join(f"{a.name} {counts[a.key]}" for a in few)
        return warned(f"in {n} trials only so many values: {told}", cause="grid", measured=counts)
    told = ", ".join(f"{a.name} {counts[a.key]}" for a in searched.axes)
    return passed(f"different values in {n} trials: {told}", measured=counts)


@check(id="validation-tells-trials-apart")
def the_validation_set_can_tell_trials_apart(
    search_plan: SearchPlan, searched: Searched, *, half_width: float = 0.05, items: int = 50
) -> Verdict:
    """The validation set is large enough to tell trials apart.

    Why: with few items the metric moves in leaps, and the best of many trials is the luckiest one.
    Fix: data.val_fraction=0.2, or give a larger validation set.
    Source: Karpathy 2019, "add significant digits".
    """
    n, best = search_plan.val_items, searched.best
    measured: dict[str, float] = {"items": n}
    if best is None or not 0 <= best.headline <= 1:
        told = f"{n} validation items"
        return (
            passed(told, measured=measured)
            if n >= items
            else warned(told, cause="validation-too-small", measured=measured)
        )
    # Half the 95 % interval of a share (Agresti-Coull, which stays honest near 1), against what the trials differ by.
    share = (best.headline * n + 2) / (n + 4)
    uncertain = 1.96 * (share * (1 - share) / (n + 4)) ** 0.5
    spread = abs(best.headline - median(t.headline for t in searched.ranked))
    measured |= {"uncertainty": uncertain, "best_minus_median": spread}
    told = (
        f"{n} validation items pin {searched.headline} down to ±{uncertain:.3f}; "
        f"the best trial is {spread:.3f} from the median one"
    )
    if uncertain > half_width and spread < 2 * uncertain:
        return warned(told, cause="validation-too-small", measured=measured)
    return passed(told, measured=measured)


@check(id="winner-beats-noise")
def what_is_adopted_wins_on_fresh_seeds(rerun: Rerun) -> Verdict:
    """What is taken into the recipe beats it beyond the noise of seeds, on seeds the search never saw.

    Why: the best of many trials is partly the luckiest (winner's curse).
    Fix: more fresh seeds (tune.seeds=5), more trials, or leave the recipe as it is.
    Source: Deep Learning Tuning Playbook.
    """
    return _won(rerun, "nothing in the search was better than the recipe so far; it stays as it is")


@check(id="schedule-beats-noise")
def the_schedule_wins_on_the_same_seeds(schedules: Rerun) -> Verdict:
    """A schedule is taken into the recipe only if it beats the present one beyond the noise of seeds.

    Why: schedules interact with the length of the run and with the rate, and a lucky seed looks like a good schedule.
    Fix: more fresh seeds (tune.seeds=5), or fix one: schedule=cosine.
    Source: Karpathy 2019, "tune learning rate decay at the very end"; recipe row T6.
    """
    return _won(schedules, "no other schedule was tried")


def _won(rerun: Rerun, nobody: str) -> Verdict:
    measured: dict[str, float | None] = {
        "noise": rerun.noise,
        "optimism": rerun.optimism,
        "seeds": len(rerun.seeds),
    }
    if not rerun.gains:
        return passed(nobody, measured=measured)
    if len(rerun.seeds) < 2:
        return warned(
            f"{len(rerun.seeds)} fresh seed says nothing about noise; the recipe stays as it is",
            cause="noise-unknown",
            advice="tune.seeds=3",
            measured=measured,
        )
    best = max(rerun.gains, key=lambda gain: gain.mean)
    seen = f"val {rerun.metric} over {len(rerun.seeds)} fresh seeds (noise {rerun.noise:.2g}{_optimism(rerun)})"
    if not rerun.winner:
        return passed(
            f"the best challenger gains {best} in {seen}: inside the noise, the recipe stays", measured=measured
        )
    gain = rerun.gains[rerun.winner - 1]
    told = f"{rerun.adopted.name} gains {gain} in {seen}"
    if gain.low > 0:
        return passed(told, measured=measured)
    return failed(f"{told}: inside the noise, yet taken on", cause="winner-within-noise", measured=measured)


def _optimism(rerun: Rerun) -> str:
    return "" if rerun.optimism is None else f", the search was {rerun.optimism:+.2g} too hopeful"


def _first_note(searched: Searched) -> str:
    return next(
        (f"{t.trial}: {t.note}" for t in searched.tried if t.note and t.status in ("diverged", "failed")),
        "no reason told",
    )


def _lost_side(searched: Searched) -> tuple[Axis, str, float] | None:
    """An axis on one side of which most lost trials lie, and the value that parts them from the finished ones."""
    lost = [t for t in searched.tried if t.status == "diverged"]
    for axis in searched.axes:
        bad = [p for t in lost if (p := axis.position(searched.value_at(axis, t))) is not None]
        good = [p for t in searched.ranked if (p := axis.position(searched.value_at(axis, t))) is not None]
        if axis.scale == "choice" or not bad or not good:
            continue
        if median(bad) > max(good):
            return axis, "above", axis.at((max(good) + min(p for p in bad if p > max(good))) / 2)
        if median(bad) < min(good):
            return axis, "below", axis.at((min(good) + max(p for p in bad if p < min(good))) / 2)
    return None


def _common_side(searched: Searched) -> str:
    side = _lost_side(searched)
    return f": most of them have {side[0].key} {side[1]} {side[2]:.2g}" if side else ""


def _narrower(searched: Searched) -> str:
    side = _lost_side(searched)
    if side is None:
        return ""
    axis, where, value = side
    low, high = (axis.low, value) if where == "above" else (value, axis.high)
    return _override(axis, low, high)


def _override(axis: Axis, low: float, high: float) -> str:
    return f"search.space.{axis.key}={{{axis.scale}:[{low:.2g},{high:.2g}]}}"

"""The capacity ladder: from shallow up until the training set is fitted, and then no further ("don't be a hero")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.intervals import wilson
from recipe.record.interval import Interval
from recipe.record.overfit import CapacityLadder, Rung
from recipe.record.trial import Change, Outcome, Trial

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

TryOut = Callable[[Sequence[Trial]], list[Outcome]]


class Goal(NamedTuple):
    """What a rung has to reach. ceiling, tolerance, chance: training errors; examples: of the training set."""

    ceiling: float
    tolerance: float
    chance: float
    examples: int
    metric: str

    @property
    def until(self) -> float:
        """The training error at which a run may end."""
        return self.ceiling + self.tolerance


class Step(NamedTuple):
    """One rung before it was climbed."""

    name: str
    change: Change
    expects: str


def ladder_for(stage: Stage) -> tuple[list[Step], bool]:
    """(rungs, whether the first is the user's own model). A model that the user named is not ours to exchange."""
    settings, ingredients = stage.settings, stage.ingredients
    if settings["rungs"]:
        return rungs_of(settings["rungs"]), False
    standard = rungs_of(settings["ladder"].get(look_of(ingredients), []))
    if stage.given("model") or not standard:
        name = str(ingredients.composed.choices.get("model", "model"))
        own = Step(f"your {name}" if stage.given("model") else name, {}, "fit the training set")
        controls = [rung for rung in standard if rung.change.get("model") not in (name, "linear")]
        return [own, *controls[:1]], True
    return standard, False


def look_of(ingredients: Ingredients) -> str:
    """Which ladder suits the data: by the task, and by what an input looks like."""
    shape, data = ingredients.input_shape, ingredients.data
    plain = isinstance(shape, tuple) and all(isinstance(size, int) for size in shape)
    if ingredients.mirrors:
        return "reconstruction" if plain else "other"
    if data.train.texts is not None and ingredients.task.time_axis() is None:
        # Where the encoding is not fixed it follows each rung's model: words counted first, then read in order.
        fixed = ingredients.config["data"]["encode"]
        return {"bag": "vector", "tokens": "tokens"}.get(fixed, "text")
    if plain and len(shape) == 1 and data.vocabulary is not None:
        return "language" if ingredients.task.time_axis() is not None else "tokens"
    return "picture" if plain and len(shape) == 3 else "vector" if plain and len(shape) == 1 else "other"


def climb(
    rungs: Sequence[Step],
    steps: Mapping[str, int],
    goal: Goal,
    *,
    seed: int,
    try_out: TryOut,
    say: Callable[[str], None],
    at_once: bool,
    own: bool,
) -> CapacityLadder:
    """Tries the rungs that have steps, one after the other until one fits; at_once: all together, under a budget.

    own: the first rung is the user's model and the one that is chosen; the others are a control, if it does not fit.
    """
    planned = [rung for rung in rungs if rung.name in steps]
    climbed: list[Rung] = []
    for group in [planned] if at_once else [[rung] for rung in planned]:
        for rung in group:
            say(f"{rung.name}: expected to {rung.expects}")
        outcomes = try_out([trial_of(rung, steps, goal, seed) for rung in group])
        climbed += [told(rung, outcome, goal) for rung, outcome in zip(group, outcomes, strict=True)]
        if any(rung.fits for rung in climbed):
            break
    return CapacityLadder(
        rungs=tuple(climbed),
        chosen=0 if own else choose(climbed),
        examples=goal.examples,
        ceiling=goal.ceiling,
        tolerance=goal.tolerance,
        chance=goal.chance,
        metric=goal.metric,
        left=tuple(rung.name for rung in rungs if rung.name not in {one.name for one in climbed}),
        short=at_once,
        own=own,
    )


def trial_of(rung: Step, steps: Mapping[str, int], goal: Goal, seed: int) -> Trial:
    """The run of one rung."""
    return Trial(
        name=rung.name,
        change=rung.change,
        seed=seed,
        steps=steps[rung.name],
        hypothesis=f"expected to {rung.expects}",
        until=goal.until,
    )


def told(rung: Step, outcome: Outcome, goal: Goal) -> Rung:
    """What a rung came to."""
    error = outcome.value("train", "error")
    history = outcome.history
    return Rung(
        name=rung.name,
        change=rung.change,
        expects=rung.expects,
        trial=outcome.trial.id,
        status=outcome.status,
        parameters=outcome.parameters,
        steps=outcome.steps,
        epochs=outcome.steps / history.steps_per_epoch if history.steps_per_epoch else 0.0,
        seconds=outcome.seconds,
        train_loss=outcome.value("train", "loss"),
        train_error=error_interval(error, goal),
        val=outcome.value("val", goal.metric),
        fits=outcome.status == "finished" and error <= goal.until,
        falling=falling(history.losses),
        note=outcome.note,
    )


def choose(rungs: Sequence[Rung]) -> int:
    """The smallest that fits; if none does, the smallest of those inside the interval of the lowest training error."""
    fitting = [rung for rung in rungs if rung.fits]
    sound = [rung for rung in rungs if rung.status == "finished"] or list(rungs)
    best = min(sound, key=lambda rung: rung.train_error.mean)
    near = fitting or [rung for rung in sound if rung.train_error.mean <= best.train_error.high] or [best]
    return list(rungs).index(min(near, key=lambda rung: rung.parameters))


def error_interval(error: float, goal: Goal) -> Interval:
    """Wilson's interval where the error is a share of the examples; without a width where it is not (1 - R²)."""
    if goal.metric == "accuracy" and 0 <= error <= 1:
        return wilson(round(error * goal.examples), goal.examples)
    return Interval(error, error, error, goal.examples)


def falling(losses: Sequence[float]) -> float:
    """How much the mean loss fell from the last fifth but one of the run to the last.

    The larger of its share of that loss and of all that the run gained: by the latter a short run shows that it had
    only begun.
    """
    fifth = len(losses) // 5
    if fifth == 0:
        return 1.0
    before, after = fmean(losses[-2 * fifth : -fifth]), fmean(losses[-fifth:])
    gained = losses[0] - after
    fell = before - after
    return max(fell / abs(before) if before else 0.0, fell / gained if gained > 0 else 0.0)


def rungs_of(nodes: Sequence[Mapping[str, Any]]) -> list[Step]:
    """From the config's list of {name, change, expects}."""
    return [Step(str(n["name"]), dict(n.get("change") or {}), str(n.get("expects", "fit"))) for n in nodes]

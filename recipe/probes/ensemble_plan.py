"""Who is trained for the ensemble, how long, and what follows: a budget is measured and shared out beforehand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recipe.lengths import LEAST_STEPS, epochs_of, seconds_of, steps_of
from recipe.limits import seconds as as_seconds
from recipe.predict.exported import require_formats
from recipe.predict.taken_home import calm
from recipe.probes.cost import measure_cost
from recipe.probes.left_training import FOREVER
from recipe.record.ensemble import DistilPlan, EnsemblePlan
from recipe.record.refusal import Refusal
from recipe.record.regularize import Combination, RegularizePlan
from recipe.record.trial import Change
from recipe.training.seeding import derive
from recipe.trials.members import Lessons, plan_crew, read_distil
from recipe.trials.pool import threads_of, workers_of

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.record.overfit import Cost
    from recipe.stages.stage import Stage


def plan_ensemble(stage: Stage, others: list[Change]) -> EnsemblePlan:
    """Seeds, other configurations, snapshots and lengths. Refuses what cannot be done before anything is trained."""
    ingredients, settings = stage.ingredients, stage.settings
    require_formats(settings["export"])
    seeds = _seeds(stage)
    lessons = read_distil(settings["distil"], ingredients.composed.changed)
    with calm(threads_of(ingredients)):
        cost = measure_cost(ingredients, seed=stage.seed)

    own = epochs_of(ingredients, ingredients.steps())
    least = LEAST_STEPS * ingredients.config["train"]["batch_size"] / len(ingredients.data.train)
    crew = plan_crew(
        len(seeds),
        others,
        settings["epochs"] or own,
        seconds_of(ingredients, cost),
        snapshots=settings["snapshots"],
        budget=stage.budget,
        workers=workers_of(ingredients),
        least=least,
        enough=_overfits_after(stage),
        teaching=lessons is not None,
    )
    changes: list[dict[str, Any]] = [{}] * crew.seeds + crew.others + [{}] * bool(crew.snapshots)
    each = seconds_of(ingredients, cost)(crew.epochs)
    return EnsemblePlan(
        seeds=tuple(seeds[: crew.seeds]),
        others=tuple(crew.others),
        snapshots=crew.snapshots,
        averages=settings["averages"],
        steps=tuple(steps_of(ingredients, change, crew.epochs) for change in changes),
        epochs=crew.epochs,
        own_epochs=own,
        each=each,
        estimate=crew.seconds,
        budget=stage.budget,
        distil=_distil(lessons, ingredients, crew.seeds, crew.epochs, each, stage.budget),
        leave=leave_steps(settings["leave"], cost),
    )


def _overfits_after(stage: Stage) -> float | None:
    """The epochs of regularize's runs, if the net with all that was kept did better in training than in validation."""
    shelf, report = stage.earlier("regularize"), stage.run.report("regularize")
    plan, found = shelf.found("plan", RegularizePlan), shelf.found("combination", Combination)
    if plan is None or found is None or report is None or not found.gap.low > 0:
        return None
    train = report.config["train"]
    return float(plan.steps * train["batch_size"] * train["accumulate"] / len(stage.ingredients.data.train))


def leave_steps(asked: str | float | None, cost: Cost) -> int:
    """A time as steps, by what one costs; FOREVER for "forever", 0 for nothing."""
    if asked is None:
        return 0
    if asked == "forever":
        return FOREVER
    steps = re.fullmatch(r"(\d+) ?steps", str(asked))
    return int(steps.group(1)) if steps else max(1, int(as_seconds("ensemble.leave", asked) / cost.step))


def _seeds(stage: Stage) -> list[int]:
    asked, settings = stage.settings["seeds"], stage.settings
    fresh = [derive(stage.seed, "member", i) % 100_000 for i in range(settings["members"])]
    seeds = list(asked) if asked is not None else fresh
    if not seeds or any(isinstance(s, bool) or not isinstance(s, int) for s in seeds):
        raise Refusal(f"{asked!r} are no seeds", where="ensemble.seeds", fix="ensemble.seeds=[1,2,3]")
    return seeds


def _distil(
    lessons: Lessons | None, ingredients: Ingredients, members: int, epochs: float, each: float, budget: float | None
) -> DistilPlan | None:
    """Of a budget a third is for the lessons: as many pairs as it has room for, one at least."""
    if lessons is None:
        return None
    count = min(lessons.seeds, members)
    # A net that is taught asks the members at each step; one of another size is trained alone too.
    pair = each * (1 + members / 3 + bool(lessons.change))
    while budget is not None and count > 1 and count * pair / workers_of(ingredients) > budget * 0.3:
        count -= 1
    steps = steps_of(ingredients, lessons.change, epochs)
    return DistilPlan(
        change=lessons.change,
        temperature=lessons.temperature,
        hard=lessons.hard,
        seeds=count,
        steps=(steps,) * count,
    )

"""Ensemble: "squeeze out the juice". Members and their average, the sealed test split once, errors, a model to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.data.data import Split
from recipe.lengths import LEAST_STEPS, epochs_of, limit_of, seconds_of, steps_of
from recipe.predict.average import average
from recipe.predict.card import model_card
from recipe.predict.taken_home import calm, write_model
from recipe.probes.cost import measure_cost
from recipe.probes.ensemble_curve import choose_members, measure_sizes
from recipe.probes.error_analysis import analyse_errors
from recipe.probes.final_numbers import Scored, final_numbers
from recipe.probes.human import measure_beside_people
from recipe.probes.members import Said, compare_members
from recipe.probes.package_proof import prove_package
from recipe.record.ensemble import Choice, EnsemblePlan, Errors, Member, Members, TestResult
from recipe.record.evidence import Unmeasured
from recipe.record.files import write_text
from recipe.record.refusal import Refusal
from recipe.record.report import TrialRow
from recipe.record.trial import Trial
from recipe.record.tune import Searched
from recipe.search.space import at_key, describe
from recipe.training.seeding import derive
from recipe.trials.crew import Crew
from recipe.trials.members import best_others, plan_crew
from recipe.trials.plan import spoken
from recipe.trials.pool import threads_of, workers_of

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage


def tell(stage: Stage) -> None:
    """The story of the stage."""
    # "Model ensembles are a pretty much guaranteed way to gain 2 % of accuracy on anything": nets of the final recipe,
    # each with a seed of its own, and the best other configurations of the search.
    plan = stage.measure("ensemble_plan", plan_stage, stage)
    assert plan is not None
    stage.progress.say(
        f"{len(plan.steps)} members of {plan.epochs:.3g} epochs, about {spoken(plan.estimate or 0)} "
        f"({len(plan.seeds)} seeds, {len(plan.others)} other configurations)"
    )
    ingredients = stage.ingredients
    outcomes = stage.try_out(trials_of(ingredients, plan), save=True, each=plan.each)
    crew = Crew(ingredients, outcomes, stage.folder / "trials", threads=threads_of(ingredients))
    members = stage.measure("members", compare, crew)
    if members is None:
        stage.note("No member came to anything: nothing was opened, nothing is taken home.")
        return

    # The metric by the number of members, on validation alone: whether they pay, and where it tops out.
    curve = stage.measure("size_curve", measure_sizes, crew.val, crew.targets, ingredients.task, seed=stage.seed)
    assert curve is not None
    choice = stage.measure("choice", choose_members, members, crew.val, crew.targets, ingredients.task)
    assert choice is not None
    for index, member in enumerate(members.members):
        stage.row(row_of(member, members.metric, kept=index in choice.members))

    # Take it home: weights, configuration and preprocessing in one folder, read back and held against what was said.
    folder = stage.folder / "model"
    saved = write_model(folder, ingredients, crew.nets(choice.members), threads=crew.threads)
    said = average([crew.val[i] for i in choice.members])
    trust, device = ingredients.config["trust"], ingredients.device
    stage.measure("package", prove_package, folder, ingredients.data.val, said, trust=trust, device=device)

    # The human baseline again: the model beside the people who answered for the same validation items.
    stage.measure("beside_people", measure_beside_people, ingredients.data, stage.run.path, said, ingredients.task)

    # The sealed test split: opened here, once, after every choice has been made; the opening is counted in run.json.
    final = Final(stage, crew, members, choice)
    test = stage.measure("test", numbers_of, final)
    errors = stage.measure("errors", errors_of, final)
    assert test is not None
    assert errors is not None
    write_text(folder / "MODEL.md", model_card(saved, test, curve, errors))

    stage.decide("ensemble.members", len(plan.seeds), f"{choice.because}; tops out at {curve.tops_out}")
    stage.headline("val", test.metric, test.ensemble_val)
    if test.split == "test":
        stage.headline("test", test.metric, test.ensemble)
    told = f"{test.metric} {test.ensemble} on {test.split} ({test.items} items); its best member {test.single}"
    stage.progress.say(f"the ensemble of {len(choice.members)}: {told}")
    stage.next("recipe predict FILE", "the model is in ensemble/model: give it new files")


class Final(NamedTuple):
    """All that the last numbers are made of."""

    stage: Stage
    crew: Crew
    members: Members
    choice: Choice

    def split(self) -> Split:
        """The test split, or validation where it stays sealed; opening it is counted."""
        sealed = self.stage.settings["report_on"] != "test" or not self.crew.ingredients.data.test_size
        return self.crew.ingredients.data.val if sealed else self.stage.open_test()

    def scored(self, split: Split) -> Scored:
        """What the ensemble and its best member say of a split."""
        ingredients = self.crew.ingredients
        said = self.crew.val if split is ingredients.data.val else self.crew.say(split)
        whole = average([said[i] for i in self.choice.members])
        return Scored(split.name, whole, said[self.members.best], ingredients.targets(split))


def plan_stage(stage: Stage) -> EnsemblePlan:
    """Seeds, other configurations and lengths; a budget is measured and shared out before the first long step."""
    ingredients, settings = stage.ingredients, stage.settings
    asked = settings["seeds"]
    seeds = (
        list(asked)
        if asked is not None
        else [derive(stage.seed, "member", i) % 100_000 for i in range(settings["members"])]
    )
    if not seeds or any(isinstance(s, bool) or not isinstance(s, int) for s in seeds):
        raise Refusal(f"{asked!r} are no seeds", where="ensemble.seeds", fix="ensemble.seeds=[1,2,3]")
    searched = stage.earlier("tune").get("searched", Searched)
    found = None if isinstance(searched, Unmeasured) else searched
    others = best_others(found, lambda key: at_key(ingredients.config, key), settings["top"])
    with calm(threads_of(ingredients)):
        cost = measure_cost(ingredients, seed=stage.seed)

    own = epochs_of(ingredients, ingredients.steps())
    least = LEAST_STEPS * ingredients.config["train"]["batch_size"] / len(ingredients.data.train)
    crew = plan_crew(
        len(seeds),
        others,
        own,
        seconds_of(ingredients, cost),
        budget=stage.budget,
        workers=workers_of(ingredients),
        least=least,
    )
    changes: list[dict[str, Any]] = [{}] * crew.seeds + crew.others
    return EnsemblePlan(
        seeds=tuple(seeds[: crew.seeds]),
        others=tuple(crew.others),
        steps=tuple(steps_of(ingredients, change, crew.epochs) for change in changes),
        epochs=crew.epochs,
        own_epochs=own,
        each=seconds_of(ingredients, cost)(crew.epochs),
        estimate=crew.seconds,
        budget=stage.budget,
    )


def trials_of(ingredients: Ingredients, plan: EnsemblePlan) -> list[Trial]:
    """One training a member."""
    chosen: list[tuple[str, dict[str, Any], int]] = [(f"seed {seed}", {}, seed) for seed in plan.seeds]
    fresh = derive(ingredients.config["seed"], "member", "other") % 100_000
    chosen += [(describe(change), dict(change), fresh + i) for i, change in enumerate(plan.others)]
    limit = limit_of(ingredients, plan.epochs)
    return [
        Trial(name=name, change=change, seed=seed, steps=steps, limit=limit, hypothesis="adds to the ensemble")
        for (name, change, seed), steps in zip(chosen, plan.steps, strict=True)
    ]


def compare(crew: Crew) -> Members:
    """What each member is worth on validation, and on how much two of them differ."""
    sources = ["search" if outcome.trial.change else "seed" for outcome in crew.outcomes]
    said = [Said(*one) for one in zip(crew.outcomes, sources, crew.val, strict=True)]
    return compare_members(said, crew.targets, crew.ingredients.task, crew.lost)


def numbers_of(final: Final) -> TestResult:
    """The last numbers."""
    ingredients = final.stage.ingredients
    scored, val = final.scored(final.split()), final.scored(ingredients.data.val)
    openings = final.stage.times_test_opened()
    return final_numbers(scored, val, ingredients.task, openings, ingredients.metrics)


def errors_of(final: Final) -> Errors:
    """Where it is wrong, on the split that is reported."""
    stage, split = final.stage, final.split()
    scored, hardest = final.scored(split), stage.settings["hardest"]
    return analyse_errors(stage.ingredients, split, scored.ensemble, scored.targets, stage.shelf, hardest=hardest)


def row_of(member: Member, metric: str, *, kept: bool) -> TrialRow:
    """One member in the report's table."""
    return TrialRow(
        id=member.trial,
        hypothesis=f"{member.name} adds to the ensemble",
        change=member.change,
        seeds=(member.seed,),
        metrics={metric: member.headline},
        verdict="kept" if kept else "dropped",
        note=f"val loss {member.loss:.4g}",
    )

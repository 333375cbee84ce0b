"""Ensemble: "squeeze out the juice". Members and their average, the sealed test split once, errors, a model to keep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from recipe.data.data import Split
from recipe.lengths import limit_of
from recipe.predict.card import model_card, pupil_card
from recipe.predict.exported import export
from recipe.predict.taken_home import Answer, read_model, write_model
from recipe.probes.averaged_weights import judge_averages
from recipe.probes.calibration import calibrate, measure_confidence
from recipe.probes.distilled import School, Teacher, measure_distilled, test_distilled
from recipe.probes.diversity import measure_diversity
from recipe.probes.ensemble_curve import measure_sizes
from recipe.probes.ensemble_plan import plan_ensemble
from recipe.probes.error_analysis import analyse_errors, look_up
from recipe.probes.final_numbers import Scored, final_numbers
from recipe.probes.human import measure_beside_people
from recipe.probes.left_training import WEIGHTS, go_on
from recipe.probes.member_selection import choose_members
from recipe.probes.members import Said, compare_members
from recipe.probes.package_proof import prove_package
from recipe.probes.second_look import judge_views
from recipe.probes.slices import measure_slices
from recipe.record.calibration import Confidence
from recipe.record.distilled import DistilledTest, Left
from recipe.record.ensemble import Choice, EnsemblePlan, Errors, Member, Members, SizeCurve, TestResult
from recipe.record.files import write_text
from recipe.record.report import TrialRow
from recipe.record.saved_model import SavedModel
from recipe.record.slices import Exported, Slices
from recipe.record.trial import Change
from recipe.record.tune import Searched
from recipe.search.space import at_key, describe
from recipe.training.seeding import derive
from recipe.trials.crew import LAST, Crew, Seat
from recipe.trials.members import best_others, lesson_trials, trials_of
from recipe.trials.plan import spoken
from recipe.trials.pool import threads_of

if TYPE_CHECKING:
    from recipe.stages.stage import Stage


def tell(stage: Stage) -> None:
    """The story of the stage."""
    # "Model ensembles are a pretty much guaranteed way to gain 2 % of accuracy on anything": nets of the final recipe,
    # each with a seed of its own, the best other configurations of the search, and the stops of a run in cycles.
    plan = stage.measure("ensemble_plan", plan_ensemble, stage, others_of(stage))
    assert plan is not None
    stage.progress.say(announced(plan))
    crew = train(stage, plan)
    members = stage.measure("members", compare, crew)
    if members is None:
        stage.note("No member came to anything: nothing was opened, nothing is taken home.")
        return

    # Who is taken home is chosen on one half of validation and judged on the other.
    task, val, targets = stage.ingredients.task, crew.val, crew.targets
    selection = stage.settings["selection"]
    choice = stage.measure("choice", choose_members, members, val, targets, task, selection=selection, seed=stage.seed)
    assert choice is not None
    for index, member in enumerate(members.members):
        stage.row(row_of(member, members.metric, kept=index in choice.members))

    # The metric by their number, on validation alone: whether they pay, where it tops out, and why it gains. Of one net
    # that stands alone because the others are weak, that is shown of all.
    shown = choice.members if len(choice.members) > 1 else tuple(range(len(val)))
    several = [val[i] for i in shown]
    curve = stage.measure("size_curve", measure_sizes, several, targets, task, seed=stage.seed)
    assert curve is not None
    names = [member.name for member in members.members]
    stage.measure("diversity", measure_diversity, names, val, targets, task)

    # A second look at each picture, and probabilities that mean what they say: each only if validation shows it pays.
    final = Final(stage, crew, members, choice, answer_of(stage, crew, choice))

    # Take it home: weights, configuration and preprocessing in one folder, read back and held against what was said.
    saved = final.take_home()

    # Distil: one net learns what the ensemble says, beside the same net alone on the same seeds.
    school = final.teach(plan, sum(member.parameters for member in saved.members))

    # The human baseline again: the model beside the people who answered for the same validation items.
    said = final.said(stage.ingredients.data.val)
    stage.measure("beside_people", measure_beside_people, stage.ingredients.data, stage.run.path, said, task)

    # The validation items that it is most wrong about, one click from where they can be marked.
    hardest = stage.settings["hardest"]
    stage.measure("lookup", look_up, stage.ingredients, said, targets, hardest=hardest)

    # The sealed test split: opened here, once, after every choice has been made; the opening is counted in run.json.
    test = stage.measure("test", numbers_of, final)
    errors = stage.measure("errors", errors_of, final)
    assert test is not None
    assert errors is not None
    stage.measure("confidence", confidence_of, final)
    stage.measure("slices", slices_of, final)
    write_text(final.folders[0] / "MODEL.md", model_card(saved, test, curve, errors))
    if school is not None and school.saved is not None:
        numbers = stage.measure("distilled_test", distilled_numbers, final, school)
        assert numbers is not None
        write_text(final.folders[1] / "MODEL.md", pupil_card(school.saved, test, numbers))
    if stage.settings["export"]:
        stage.measure("exported", write_exports, stage)
    conclude(stage, plan, choice, curve, test)


def others_of(stage: Stage) -> list[Change]:
    """What was asked for, or the best of the search but the recipe itself."""
    ingredients, asked = stage.ingredients, stage.settings["others"]
    if asked is not None:
        for change in asked:
            ingredients.composed.changed(change)
        return [dict(change) for change in asked]
    found = stage.earlier("tune").found("searched", Searched)
    return best_others(found, lambda key: at_key(ingredients.config, key), stage.settings["top"])


def announced(plan: EnsemblePlan) -> str:
    """A line before the first long step."""
    parts = [f"{len(plan.seeds)} seeds", f"{len(plan.others)} other configurations"]
    parts += [f"one run in {plan.snapshots} cycles"] if plan.snapshots else []
    parts += [f"then {plan.distil.seeds} nets that they teach"] if plan.distil else []
    parts += (
        ["the best goes on " + ("until Ctrl-C" if plan.leave < 0 else f"for {plan.leave} steps")] if plan.leave else []
    )
    return f"{len(plan.steps)} runs of {plan.epochs:.3g} epochs, about {spoken(plan.estimate or 0)}: {', '.join(parts)}"


def train(stage: Stage, plan: EnsemblePlan) -> Crew:
    """The members, with the weights that validation prefers; the one that was left training among them."""
    ingredients = stage.ingredients
    fresh = derive(stage.seed, "member", "other") % 100_000
    trials = trials_of(
        plan,
        [describe(change) for change in plan.others],
        fresh,
        limit_of(ingredients, plan.epochs),
        averages=plan.averages,
    )
    outcomes = stage.try_out(trials, save=True, each=plan.each)
    crew = Crew(ingredients, outcomes, stage.folder / "trials", threads=threads_of(ingredients))
    if not crew.seats:
        return crew
    averages = stage.measure("averages", judge_averages, crew) if plan.averages else None

    # "Leave it training": the best run goes on, for as long as it was told.
    left: list[Seat] = []
    if plan.leave:
        best = min(range(len(crew.seats)), key=lambda i: crew.seats[i].outcome.value("val", "loss"))
        stage.measure("left", go_on, crew, best, plan.leave, stage.folder / "left", stage.progress)
        weights = f"../../left/{WEIGHTS}"
        left.append(Seat(f"{crew.seats[best].name}, left training", "left", crew.seats[best].outcome, weights))
    kind = averages.chosen if averages else LAST
    return Crew(ingredients, outcomes, crew.folder, threads=crew.threads, kind=kind, more=left)


def compare(crew: Crew) -> Members:
    """What each member is worth on validation, and on how much two of them differ."""
    said = [
        Said(s.outcome, s.source, p, s.name) for s, p in zip(crew.seats, crew.val if crew.seats else [], strict=True)
    ]
    return compare_members(said, crew.targets, crew.ingredients.task, crew.lost)


def answer_of(stage: Stage, crew: Crew, choice: Choice) -> Answer:
    """How the members answer together: their weights, the views of each picture, the temperature."""
    task, val = stage.ingredients.task, stage.ingredients.data.val
    views = stage.measure("views", judge_views, crew, choice, allowed=stage.settings["views"])
    plainly = Answer(choice.weights, views.views if views and views.adopted else ())
    said = crew.together(val, choice.members, plainly)
    calibration = stage.measure("calibration", calibrate, said, crew.targets, task, seed=stage.seed)
    return plainly._replace(temperature=calibration.temperature if calibration else 1.0)


class Final(NamedTuple):
    """All that the last numbers are made of."""

    stage: Stage
    crew: Crew
    members: Members
    choice: Choice
    answer: Answer

    def split(self) -> Split:
        """The test split, or validation where it stays sealed; opening it is counted."""
        sealed = self.stage.settings["report_on"] != "test" or not self.crew.ingredients.data.test_size
        return self.crew.ingredients.data.val if sealed else self.stage.open_test()

    def said(self, split: Split, *, plain: bool = False) -> Tensor:
        """What the ensemble says of a split; plain: before its temperature."""
        answer = self.answer._replace(temperature=1.0) if plain else self.answer
        return self.crew.together(split, self.choice.members, answer)

    def scored(self, split: Split) -> Scored:
        """What the ensemble and its best member say of a split."""
        single = self.crew.say(split)[self.members.best]
        return Scored(split.name, self.said(split), single, self.crew.ingredients.targets(split))

    @property
    def folders(self) -> tuple[Path, Path]:
        """Of the ensemble and of the net it taught: recipe predict takes what is in `model` (`ensemble.take_home`)."""
        distilled = self.stage.settings["distil"] and self.stage.settings["take_home"] == "distilled"
        own, other = ("teacher", "model") if distilled else ("model", "distilled")
        return self.stage.folder / own, self.stage.folder / other

    def take_home(self) -> SavedModel:
        """Writes the ensemble's folder and reads it back."""
        ingredients, (folder, _) = self.stage.ingredients, self.folders
        nets, val = self.crew.nets(self.choice.members), ingredients.data.val
        saved = write_model(folder, ingredients, nets, threads=self.crew.threads, answer=self.answer)
        trust, device = ingredients.config["trust"], ingredients.device
        self.stage.measure("package", prove_package, folder, val, self.said(val), trust=trust, device=device)
        return saved

    def teach(self, plan: EnsemblePlan, parameters: int) -> School | None:
        """The runs of nets that learn from the ensemble and of those alone; writes the best pupil's folder."""
        if plan.distil is None:
            return None
        ingredients, (own, other) = self.stage.ingredients, self.folders
        taught, alone = lesson_trials(plan, f"../{own.name}", limit_of(ingredients, plan.epochs))
        outcomes = self.stage.try_out([*taught, *alone], save=True)
        school = School(self.crew, outcomes[: len(taught)], outcomes[len(taught) :])
        teacher = Teacher(self.said(ingredients.data.val), parameters)
        if self.stage.measure("distilled", measure_distilled, school, teacher, plan.distil) is None:
            return None
        pupil = ingredients.changed(plan.distil.change)
        school.saved = write_model(other, pupil, [school.net(taught=True)], threads=self.crew.threads)
        return school


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


def confidence_of(final: Final) -> Confidence:
    """Whether its probabilities mean what they say there, before and after the temperature that validation gave."""
    ingredients, split = final.stage.ingredients, final.split()
    said, targets = final.said(split, plain=True), ingredients.targets(split)
    temperature, seed = final.answer.temperature, final.stage.seed
    return measure_confidence(said, targets, ingredients.task, split.name, temperature, seed=seed)


def slices_of(final: Final) -> Slices:
    """On which parts of it the errors gather."""
    ingredients, split = final.stage.ingredients, final.split()
    return measure_slices(ingredients, split, final.said(split), ingredients.targets(split))


def distilled_numbers(final: Final, school: School) -> DistilledTest:
    """The net that was taught, beside its teacher and the net alone."""
    split = final.split()
    return test_distilled(school, split, final.said(split), final.stage.ingredients.targets(split))


def write_exports(stage: Stage) -> Exported:
    """Files for other programs, made from what is taken home."""
    folder = stage.folder / "model"
    home = read_model(folder, stage.ingredients.config["trust"])
    return export(home, folder, stage.ingredients.data.val, stage.settings["export"])


def conclude(stage: Stage, plan: EnsemblePlan, choice: Choice, curve: SizeCurve, test: TestResult) -> None:
    """All that a recipe alone needs to give this model again, the headline, and what to type next."""
    why = f"{choice.because}; tops out at {curve.tops_out}"
    stage.decide("ensemble.members", len(plan.seeds), why)
    stage.decide("ensemble.seeds", list(plan.seeds), "one a member")
    stage.decide("ensemble.others", list(plan.others), "the best of the search beside the recipe")
    stage.decide("ensemble.snapshots", plan.snapshots, "stops of one more run, tried as members")
    if plan.epochs != plan.own_epochs:
        stage.decide("ensemble.epochs", plan.epochs, "what the budget had room for")
    left = stage.shelf.found("left", Left)
    if left is not None:
        why = f"{left.member} went on for so long; it is {left.verdict}"
        stage.decide("ensemble.leave", f"{left.steps} steps", why, settles=True)
    stage.headline("val", test.metric, test.ensemble_val)
    if test.split == "test":
        stage.headline("test", test.metric, test.ensemble)
    told = f"{test.metric} {test.ensemble} on {test.split} ({test.items} items); its best member {test.single}"
    stage.progress.say(f"the ensemble of {len(choice.members)}: {told}")
    stage.next("recipe predict FILE", "the model is in ensemble/model: give it new files")


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

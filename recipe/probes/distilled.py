"""What the ensemble taught one net: the nets that were taught beside the same nets alone, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from recipe.predict.average import as_outputs
from recipe.predict.taken_home import Net
from recipe.probes.ensemble_curve import headline_gain
from recipe.record.distilled import Distilled, DistilledTest, Pupil
from recipe.record.ensemble import DistilPlan
from recipe.record.evidence import CannotMeasure
from recipe.record.saved_model import SavedModel
from recipe.record.trial import Outcome
from recipe.trials.compare import compare
from recipe.trials.crew import LAST, Crew
from recipe.trials.here import items_in

if TYPE_CHECKING:
    from recipe.data.data import Split
    from recipe.tasks.task import Task


class School:
    """taught, alone: the runs, seed by seed. crew: for data, folder and threads. saved: once it was written."""

    saved: SavedModel | None = None

    def __init__(self, crew: Crew, taught: Sequence[Outcome], alone: Sequence[Outcome]) -> None:
        self.crew = crew
        both = [(one, other) for one, other in zip(taught, alone, strict=True) if _sound(one) and _sound(other)]
        self.pairs = both
        self.lost = [f"{o.trial.name}: {o.note or o.status}" for o in (*taught, *alone) if not _sound(o)]

    @property
    def best(self) -> int:
        """The pair whose taught net has the lowest validation loss."""
        return min(range(len(self.pairs)), key=lambda i: self.pairs[i][0].value("val", "loss"))

    def say(self, split: Split, *, taught: bool) -> Tensor:
        """What the best pair's net says of a split."""
        return self.crew.ask(self.net(taught=taught).model, split)

    def net(self, *, taught: bool) -> Net:
        """The best pair's net, as it is taken home."""
        outcome = self.pairs[self.best][0 if taught else 1]
        seat = next(iter(Crew(self.crew.ingredients, [outcome], self.crew.folder, threads=self.crew.threads).seats))
        model = self.crew.net(seat, LAST)
        assert model is not None
        node = self.crew.ingredients.changed(outcome.trial.change).model_node()
        return Net(outcome.trial.name, outcome.trial.seed, node, model)


class Teacher(NamedTuple):
    """What the ensemble says of validation, and how many parameters it has."""

    val: Tensor
    parameters: int


def measure_distilled(school: School, teacher: Teacher, plan: DistilPlan) -> Distilled:
    """Raises CannotMeasure when no pair of runs was finished."""
    if not school.pairs:
        raise CannotMeasure(f"no net was taught: {school.lost[0] if school.lost else 'none was asked for'}")
    task, crew = school.crew.ingredients.task, school.crew
    taught, alone = ([pair[i] for pair in school.pairs] for i in (0, 1))
    val = crew.ingredients.data.val
    ours, theirs = (as_outputs(task, school.say(val, taught=side)) for side in (True, False))
    best = taught[school.best]
    wise = as_outputs(task, teacher.val)

    higher, metric = task.higher_is_better, task.headline
    return Distilled(
        change=plan.change,
        temperature=plan.temperature,
        hard=plan.hard,
        steps=best.trial.steps or best.steps,
        metric=metric,
        higher_is_better=higher,
        pupils=tuple(
            Pupil(seed=a.trial.seed, taught=a.value("val", metric), alone=b.value("val", metric))
            for a, b in school.pairs
        ),
        gain=compare(taught, alone, metric=metric, higher_is_better=higher, items=items_in(crew.folder)),
        loss_gain=compare(taught, alone, metric="loss", higher_is_better=False),
        best=best.trial.seed,
        teacher=task.interval(wise, crew.targets),
        taught=task.interval(ours, crew.targets),
        alone=task.interval(theirs, crew.targets),
        behind=headline_gain(task, wise, ours, crew.targets),
        parameters=best.parameters,
        share=best.parameters / max(1, teacher.parameters),
        lost=tuple(school.lost),
    )


def test_distilled(school: School, split: Split, said: Tensor, targets: Tensor) -> DistilledTest:
    """said: what the ensemble says of the split that is reported."""
    task: Task = school.crew.ingredients.task
    ours, theirs = (as_outputs(task, school.say(split, taught=side)) for side in (True, False))
    wise = as_outputs(task, said)
    return DistilledTest(
        split=split.name,
        metric=task.headline,
        items=len(targets),
        ensemble=task.interval(wise, targets),
        taught=task.interval(ours, targets),
        alone=task.interval(theirs, targets),
        behind=headline_gain(task, wise, ours, targets),
        ahead=headline_gain(task, ours, theirs, targets),
    )


def _sound(outcome: Outcome) -> bool:
    return outcome.status == "finished"

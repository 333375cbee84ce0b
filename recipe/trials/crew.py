"""The trained members of an ensemble: their nets as their trials left them, and what they say of a split."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from recipe.data.data import Split
from recipe.predict.taken_home import Net, calm
from recipe.record.trial import Outcome
from recipe.training.evaluate import evaluate
from recipe.trials.here import load_weights

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


class Crew:
    """outcomes: of the members, those that came to nothing among them. folder: where their trials lie."""

    def __init__(self, ingredients: Ingredients, outcomes: Sequence[Outcome], folder: Path, *, threads: int) -> None:
        self.ingredients, self.folder, self.threads = ingredients, folder, threads
        self.outcomes = [o for o in outcomes if o.status == "finished"]
        self.lost = [f"{o.trial.name}: {o.note or o.status}" for o in outcomes if o.status != "finished"]
        self._said: dict[str, list[Tensor]] = {}

    @cached_property
    def models(self) -> list[Any]:
        """With the weights that their trials kept, in order."""
        found = []
        for outcome in self.outcomes:
            model = self.ingredients.changed(outcome.trial.change).model(outcome.trial.seed)
            found.append(load_weights(model, outcome, self.folder).to(self.ingredients.device))
        return found

    def say(self, split: Split) -> list[Tensor]:
        """Probabilities (or values) of each member for every item, in order."""
        if split.name not in self._said:
            base = self.ingredients
            with calm(self.threads):
                feed, precision = base.feed_of(split), base.config["train"]["precision"]
                found = [evaluate(model, feed, base.loss, precision=precision) for model in self.models]
            self._said[split.name] = [base.task.probabilities(one.outputs) for one in found]
        return self._said[split.name]

    @property
    def val(self) -> list[Tensor]:
        """What each says of validation."""
        return self.say(self.ingredients.data.val)

    @cached_property
    def targets(self) -> Tensor:
        """The truth of validation, as the task has it."""
        return self.ingredients.targets(self.ingredients.data.val)

    def nets(self, chosen: Sequence[int]) -> list[Net]:
        """Those that are taken home."""
        trials = [self.outcomes[i].trial for i in chosen]
        nodes = [self.ingredients.changed(trial.change).model_node() for trial in trials]
        models = [self.models[i] for i in chosen]
        return [Net(t.name, t.seed, node, model) for t, node, model in zip(trials, nodes, models, strict=True)]

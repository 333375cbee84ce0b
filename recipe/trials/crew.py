"""The trained members of an ensemble: their nets as their trials left them, and what they say of a split."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor, nn

from recipe.data.data import Split
from recipe.predict.average import average, tempered
from recipe.predict.taken_home import Answer, Net, calm
from recipe.predict.views import PLAIN, seen
from recipe.record.saved_model import View
from recipe.record.trial import Outcome
from recipe.training.evaluate import evaluate
from recipe.training.norms import reestimate
from recipe.training.trail import file_of, snapshot_file
from recipe.trials.here import load_weights

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

LAST = "last"
"""The weights that a run ended with, beside the averages of them."""
# Items from which the statistics of batch norms are taken anew.
_STATISTICS = 4096


class Seat(NamedTuple):
    """One member: the run it comes from, and the file of its weights there (None: those that the run kept)."""

    name: str
    source: str
    outcome: Outcome
    file: str | None = None


class Crew:
    """outcomes: of the runs, those that came to nothing among them. folder: where their trials lie.

    kind: which weights of the runs are meant: the last ones, or an average of them. more: members besides.
    """

    def __init__(
        self,
        ingredients: Ingredients,
        outcomes: Sequence[Outcome],
        folder: Path,
        *,
        threads: int,
        kind: str = LAST,
        more: Sequence[Seat] = (),
    ) -> None:
        self.ingredients, self.folder, self.threads, self.kind = ingredients, folder, threads, kind
        self.outcomes = [o for o in outcomes if o.status == "finished"]
        self.lost = [f"{o.trial.name}: {o.note or o.status}" for o in outcomes if o.status != "finished"]
        self.seats = [*(seat for outcome in self.outcomes for seat in seats_of(outcome, folder)), *more]
        self._said: dict[str, list[Tensor]] = {}
        self._together: dict[tuple[Any, ...], Tensor] = {}

    def net(self, seat: Seat, kind: str) -> nn.Module | None:
        """The model with those weights, norm statistics estimated anew for an average; None where there are none."""
        file = seat.file if kind == LAST or seat.file else file_of(kind)
        if file is not None and not (self.folder / seat.outcome.trial.id / file).exists():
            return None
        changed = self.ingredients.changed(seat.outcome.trial.change)
        model = load_weights(changed.model(seat.outcome.trial.seed), seat.outcome, self.folder, file)
        model.to(self.ingredients.device)
        if kind != LAST and not seat.file:
            with calm(self.threads):
                reestimate(model, self.ingredients.feed("train", plain=True, limit=_STATISTICS))
        return model

    @cached_property
    def models(self) -> list[nn.Module]:
        """Of each seat, in order; where a run kept no average, its last weights."""
        found: list[nn.Module] = []
        for seat in self.seats:
            model = self.net(seat, self.kind) or self.net(seat, LAST)
            assert model is not None
            found.append(model)
        return found

    def say(self, split: Split) -> list[Tensor]:
        """Probabilities (or values) of each member for every item, in order."""
        if split.name not in self._said:
            self._said[split.name] = [self.ask(model, split) for model in self.models]
        return self._said[split.name]

    def ask(self, model: nn.Module, split: Split, view: View = PLAIN) -> Tensor:
        """What one net says of every item, seen in one way."""
        base = self.ingredients
        asked = model if view == PLAIN else _Seeing(model, view)
        with calm(self.threads):
            found = evaluate(asked, base.feed_of(split), base.loss, precision=base.config["train"]["precision"])
        return base.task.probabilities(found.outputs)

    def together(self, split: Split, chosen: Sequence[int], answer: Answer) -> Tensor:
        """What the chosen members say as one, in the way they are taken home."""
        key = (split.name, tuple(chosen), answer.weights, str(answer.views))
        if key not in self._together:
            if answer.views:
                said = [average([self.ask(self.models[i], split, view) for view in answer.views]) for i in chosen]
            else:
                said = [self.say(split)[i] for i in chosen]
            self._together[key] = average(said, answer.weights or None)
        return tempered(self.ingredients.task, self._together[key], answer.temperature)

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
        found = []
        for i in chosen:
            seat = self.seats[i]
            node = self.ingredients.changed(seat.outcome.trial.change).model_node()
            found.append(Net(seat.name, seat.outcome.trial.seed, node, self.models[i]))
        return found


def seats_of(outcome: Outcome, folder: Path) -> list[Seat]:
    """One member of a run, or each of its snapshots that there is (a run may end before its last part)."""
    trial = outcome.trial
    if trial.snapshots:
        files = {part: snapshot_file(part) for part in range(1, trial.snapshots + 1)}
        kept = {part: file for part, file in files.items() if (folder / trial.id / file).exists()}
        return [Seat(f"snapshot {part} of {trial.snapshots}", "snapshot", outcome, file) for part, file in kept.items()]
    return [Seat(trial.name, "search" if trial.change else "seed", outcome)]


class _Seeing(nn.Module):
    """A net that sees every picture in one way."""

    def __init__(self, model: nn.Module, view: View) -> None:
        super().__init__()
        self.model, self.view = model, view

    def forward(self, inputs: Tensor) -> Any:
        """As the model, of the inputs as the view has them."""
        return self.model(seen(inputs, self.view))

"""Trials that differ only in numbers, trained as one program: the same folders and outcomes as one after the other."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import torch
from torch import nn

from recipe.record.files import make_folder, remove, write_json
from recipe.record.history import History
from recipe.record.progress import Progress
from recipe.record.trial import Outcome, Trial
from recipe.training.checkpoint import Checkpoint
from recipe.training.evaluate import evaluation_of
from recipe.training.learner import Learner
from recipe.training.replay import WARM_UP
from recipe.training.seeding import derive
from recipe.training.stack import structure_of
from recipe.training.stacked_loop import Course, Run, fit_stacked
from recipe.training.stacked_loss import smoothing_is_a_line
from recipe.training.stacked_step import StackedStepper
from recipe.training.stacked_update import PROPORTIONAL, settings_of
from recipe.trials.here import finished, outcome_of, prepared, single_file, written

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

STACK = "stack"
"""Where a stack keeps its checkpoints, in the folder of its first trial."""
MEMBERS = "members.json"
_TOGETHER = (
    "dropout", "dropout2d", "input_noise", "weight_decay", "l1", "max_norm", "label_smoothing", "ema", "augment",
)  # fmt: skip
"""Regularizers that a stack has; random numbers or hooks of any other belong to a single model."""
# A larger net keeps a processor busy by itself, and so many copies of it may not fit.
_MOST_PARAMETERS = {"cpu": 2_000_000, "cuda": 20_000_000}


class Candidate(NamedTuple):
    """A trial, what it is trained from, and what it has in common with others; reason: why it goes alone, or ""."""

    trial: Trial
    ingredients: Ingredients
    key: str
    reason: str


def candidate(trial: Trial, ingredients: Ingredients) -> Candidate:
    """Whether this trial can be stacked, and with which others."""
    changed = ingredients.changed(trial.change)
    reason = _settings_against(trial, changed)
    if reason:
        return Candidate(trial, changed, "", reason)
    learner = changed.learner(trial.seed)
    reason = _learner_against(learner, changed)
    kind = (
        structure_of(learner.model),
        settings_of(learner.optimizer),
        _common(changed.config),
        trial.steps or changed.steps(),
        trial.limit,
    )
    return Candidate(trial, changed, f"{derive(0, *kind):016x}", reason)


def run_stacked(
    trials: Sequence[Trial],
    ingredients: Ingredients,
    folder: Path,
    *,
    threads: int,
    save: bool,
    progress: Progress,
    done: Callable[[Outcome], None],
) -> None:
    """Trains them together; each is on disk, and told to `done`, as it ends. An interrupted stack goes on.

    The trials must be alike (`candidate`). Those of them that are on disk already are trained again with the others, as
    the numbers depend in their last digits on how many there are, and come to the same.
    """
    own = folder / trials[0].id / STACK
    before = {trial.id for trial in trials if finished(trial, folder, save=save)}
    begun = time.perf_counter()
    kitchens = [prepared(trial, ingredients, folder) for trial in trials]
    write_json(make_folder(own) / MEMBERS, [trial.id for trial in trials])
    note = f"trained in one program with {len(trials) - 1} others, without samples of its layers"

    def ended(number: int, history: History) -> None:
        trial, (changed, place) = trials[number], kitchens[number]
        history = msgspec.structs.replace(history, notes=(*history.notes, note))
        trained = changed.trained(runs[number].learner.model, history, seed=trial.seed, limit=trial.limit)
        outcome = outcome_of(trial, trained, changed, place, save=save)
        seconds = (time.perf_counter() - begun) / len(trials)
        outcome = written(outcome, place, seconds)
        if trial.id not in before:
            done(outcome)

    with single_file(threads):
        runs = runs_of(trials, [changed for changed, _ in kitchens])
        first, steps = kitchens[0][0], trials[0].steps or kitchens[0][0].steps()
        fit_stacked(
            runs,
            first.loss,
            steps=steps,
            shared=same_batches(trials),
            ended=ended,
            looks=lambda stepper: look_at_all(stepper, first),
            look_alone=lambda model: {"val": first.measure(model, first.feed("val"))[0]},
            evaluate_every=first.cadence(runs[0].feed.steps_per_epoch, steps),
            checkpoint=Checkpoint(own / "checkpoints"),
            progress=progress,
        )
    remove(own)


def runs_of(trials: Sequence[Trial], kitchens: Sequence[Ingredients]) -> list[Run]:
    """Fresh models, each with the batches and the stopping rules of its trial."""
    return [
        Run(
            learner=changed.learner(trial.seed),
            feed=changed.feed("train", seed=trial.seed, limit=trial.limit),
            seed=derive(trial.seed, "steps"),
            early_stopping=changed.early_stopping(),
            stop_when=trial.pruning,
        )
        for trial, changed in zip(trials, kitchens, strict=True)
    ]


def same_batches(trials: Sequence[Trial]) -> bool:
    """Batches follow from the seed, where all else that they depend on is alike."""
    return len({trial.seed for trial in trials}) == 1


def look_at_all(stepper: StackedStepper, ingredients: Ingredients) -> list[dict[str, dict[str, float]]]:
    """The validation metrics of every model of the stack."""
    outputs, targets = [], []
    for batch in ingredients.feed("val").in_order():
        outputs.append(stepper.stack.evaluate(batch.inputs))
        targets.append(batch.targets)
    said, asked, loss = torch.cat(outputs, dim=1), torch.cat(targets), ingredients.loss
    if said.device.type != "cpu" and isinstance(loss, nn.Module):
        # Fetched once for all: each model's metrics would make the device wait several times.
        said, asked, loss = said.cpu(), asked.cpu(), copy.deepcopy(loss).cpu()
    with torch.no_grad():
        return [{"val": ingredients.judged(evaluation_of([one], [asked], loss))} for one in said]


def interrupted(pending: Sequence[Trial], trials: Mapping[str, Trial], folder: Path) -> list[list[Trial]]:
    """Stacks that were begun and not ended, with all their members, of which at least one is pending."""
    found = []
    ids = {trial.id for trial in pending}
    for file in sorted(folder.glob(f"*/{STACK}/{MEMBERS}")):
        try:
            members = msgspec.json.decode(file.read_bytes(), type=list[str])
        except (OSError, msgspec.MsgspecError):
            continue
        if ids & set(members) and all(member in trials for member in members):
            found.append([trials[member] for member in members])
    return found


def time_together(group: Sequence[Candidate], steps: int) -> Callable[[], float]:
    """Seconds of one step of all of them, each time it is called. Raises whatever torch cannot map over a model."""
    runs = runs_of([one.trial for one in group], [one.ingredients for one in group])
    course = Course(runs, group[0].ingredients.loss, same_batches([one.trial for one in group]), lambda *_: None)
    taken = course.steps(0, 1_000_000)
    for _ in range(2 if course.device.type == "cpu" else WARM_UP + 1):
        next(taken)

    def timed() -> float:
        _wait(course.device)
        started = time.perf_counter()
        for _ in range(steps):
            if next(taken, None) is None:
                break
        _wait(course.device)
        return (time.perf_counter() - started) / steps

    return timed


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _settings_against(trial: Trial, ingredients: Ingredients) -> str:
    """Why this configuration is trained by itself; "" where nothing speaks against a stack."""
    config = ingredients.config
    train, regularizers = config["train"], config["regularizers"]
    alone = [name for name, amount in regularizers.items() if amount and name not in _TOGETHER]
    against = {
        "it ends when its training error is reached": trial.until is not None,
        "weights are kept along its way": trial.averages or bool(trial.snapshots),
        "it learns from a teacher": trial.teaching is not None,
        "it has a step of its own": bool(config["step"]),
        "gradients of several batches are added up": train["accumulate"] != 1,
        "it is compiled": bool(train["compile"]),
        f"it is trained in {train['precision']}": train["precision"] != "float32",
        f"{', '.join(alone)} belongs to a single model": bool(alone),
    }
    return next((reason for reason, holds in against.items() if holds), "")


def _learner_against(learner: Learner, ingredients: Ingredients) -> str:
    kind = type(learner.optimizer).__name__
    if kind not in PROPORTIONAL or type(learner.optimizer).__module__.split(".")[0] != "torch":
        return f"the step of {kind} is not known to be proportional to its rate"
    if learner.optimizer.defaults.get("maximize") or learner.optimizer.defaults.get("differentiable"):
        return f"{kind} is asked for something that a stack does not do"
    if ingredients.regularizers.label_smoothing and not smoothing_is_a_line(ingredients.loss):
        return "its loss smooths labels in a way of its own"
    most = _MOST_PARAMETERS.get(learner.device.type, 0)
    if learner.channels_last and learner.device.type == "cpu":
        return "its memory layout is that of a single model"
    size = sum(p.numel() for p in learner.model.parameters())
    if size > most:
        return f"{size:,} weights keep a {learner.device.type} busy by themselves"
    return ""


def _common(config: Mapping[str, Any]) -> str:
    """What all trials of a stack share, as text."""
    augment = config["regularizers"]["augment"]
    shared = {key: config[key] for key in ("data", "task", "loss", "metrics", "train", "device", "init")}
    shared |= {"augment": augment, "cadence": config["early_stopping"]["cadence"]}
    return msgspec.json.encode(shared, order="sorted", enc_hook=str).decode()

"""One trial: trained in its own folder, resumed from its checkpoint, its outcome written; and many of them in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from torch import Tensor, nn

from recipe.machine import out_of_memory
from recipe.record.files import make_folder, remove, write_bytes, write_json, write_text
from recipe.record.history import History, Point
from recipe.record.plain import from_json, to_plain
from recipe.record.progress import Progress, Silent
from recipe.record.said import said
from recipe.record.trial import Outcome, Trial
from recipe.training.trail import Snapshots, Trail
from recipe.trials.teaching import lesson_for

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.training.learner import Learner
    from recipe.training.step import Watcher
    from recipe.training.trained import Trained

WEIGHTS = "weights.safetensors"
ITEMS = "items.safetensors"
CHECKPOINTS = "checkpoints"
# Training error is looked at on a sample first, and on the whole split only when the sample says it is there.
_SAMPLE = 2000


def run_here(
    trials: Sequence[Trial],
    ingredients: Ingredients,
    folder: Path,
    *,
    threads: int,
    save: bool,
    progress_of: Callable[[Trial], Progress],
    done: Callable[[Outcome], None],
) -> None:
    """One after the other in this process; `done` is told each outcome as it comes."""
    for trial in trials:
        done(run_one(trial, ingredients, folder, threads=threads, save=save, progress=progress_of(trial)))


def run_one(
    trial: Trial,
    ingredients: Ingredients,
    folder: Path,
    *,
    threads: int,
    save: bool,
    progress: Progress | None = None,
) -> Outcome:
    """Trains the trial in `folder/<its id>`; what lies there afterwards does not depend on who ran it.

    Divergence and lack of memory are outcomes. Raises UserCodeError and Refusal: they would meet every other trial too.
    """
    changed, place = prepared(trial, ingredients, folder)
    started = time.perf_counter()
    with single_file(threads):
        try:
            trained = _train(trial, changed, place, progress or Silent())
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            outcome = Outcome(
                trial=trial,
                status="failed",
                metrics={},
                history=History(),
                steps=0,
                note=f"out of memory: {said(error, kind=False)}",
            )
        else:
            outcome = outcome_of(trial, trained, changed, place, save=save)
    return written(outcome, place, time.perf_counter() - started)


def prepared(trial: Trial, ingredients: Ingredients, folder: Path) -> tuple[Ingredients, Path]:
    """What the trial is trained from, and its folder with its configuration in it."""
    place = make_folder(folder / trial.id)
    _ = ingredients.data  # read before they are changed, so that the data are shared
    changed = ingredients.changed(trial.change)
    write_text(place / "config.yaml", _yaml(changed.composed.masked))
    return changed, place


def written(outcome: Outcome, place: Path, seconds: float) -> Outcome:
    """The outcome with the seconds it took, as it is on disk from now on."""
    outcome = msgspec.structs.replace(outcome, seconds=round(seconds, 3))
    write_text(place / "history.jsonl", _lines(outcome.history))
    write_json(place / "result.json", outcome)
    remove(place / CHECKPOINTS)
    return outcome


def finished(trial: Trial, folder: Path, *, save: bool) -> Outcome | None:
    """The outcome on disk, if there is a sound one (with weights, if they are wanted)."""
    place = folder / trial.id
    try:
        outcome = from_json((place / "result.json").read_bytes(), Outcome)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    wanted = save and outcome.status == "finished"
    return None if wanted and not (outcome.weights and (place / outcome.weights).exists()) else outcome


def load_weights(model: nn.Module, outcome: Outcome, folder: Path, file: str | None = None) -> nn.Module:
    """The model with the weights that the trial kept, or with those of another file of its folder.

    Raises FileNotFoundError when it kept none.
    """
    from safetensors.torch import load

    name = file or outcome.weights
    if name is None:
        raise FileNotFoundError(f"{outcome.trial.id} kept no weights")
    model.load_state_dict(load((folder / outcome.trial.id / name).read_bytes()))
    return model


def items_of(outcome: Outcome, folder: Path, metric: str) -> list[float] | None:
    """One number a validation item, in the order of the split; None when it was not kept.

    The item's loss for the metric "loss", for any other the task's `per_item`.
    """
    from safetensors.torch import load

    path = folder / outcome.trial.id / ITEMS
    if not path.exists():
        return None
    found = load(path.read_bytes()).get("loss" if metric == "loss" else "val")
    return None if found is None else found.tolist()


def items_in(folder: Path) -> Callable[[Outcome, str], list[float] | None]:
    """Reads what the trials of a folder came to, item by item."""
    return lambda outcome, metric: items_of(outcome, folder, metric)


@contextmanager
def single_file(threads: int) -> Iterator[None]:
    """Trials run with a fixed number of threads wherever they run, so that parallel equals serial in bytes."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Target:
    """Ends a run once the training error is at or below `error`: asked by `fit` after each validation."""

    def __init__(self, ingredients: Ingredients, error: float, *, seed: int, limit: int | None) -> None:
        self._ingredients, self._error, self._model = ingredients, error, nn.Module()
        size = limit or len(ingredients.data.train)
        self._feeds = [
            ingredients.feed("train", seed=seed, plain=True, limit=size if size < len(ingredients.data.train) else None)
        ]
        if size > 2 * _SAMPLE:
            self._feeds.insert(0, ingredients.feed("train", seed=seed, plain=True, limit=_SAMPLE))

    def after_backward(self, step: int, learner: Learner) -> None:
        """Nothing to see."""

    def after_step(self, step: int, learner: Learner) -> None:  # noqa: ARG002
        """Remembers whose error to measure."""
        self._model = learner.model

    def __call__(self, point: Point) -> str | None:  # noqa: ARG002
        """ "target-reached", or None to go on."""
        reached = all(self._ingredients.measure(self._model, feed)[0]["error"] <= self._error for feed in self._feeds)
        return "target-reached" if reached else None


def _train(trial: Trial, ingredients: Ingredients, place: Path, progress: Progress) -> Trained:
    target = None
    watchers: list[Watcher] = []
    if trial.until is not None:
        target = Target(ingredients, trial.until, seed=trial.seed, limit=trial.limit)
        watchers.append(target)
    steps = trial.steps or ingredients.steps()
    trail = Trail(steps) if trial.averages else None
    watchers += [trail] if trail else []
    watchers += [Snapshots(place, steps, trial.snapshots)] if trial.snapshots else []
    trained = ingredients.train(
        trial.seed,
        steps=trial.steps,
        folder=place,
        progress=progress,
        watchers=watchers,
        stop_when=target or trial.pruning,
        limit=trial.limit,
        lesson=lesson_for(trial.teaching, ingredients, place.parent) if trial.teaching else None,
    )
    if trail is not None:
        trail.write(place, trained.model)
    return trained


def outcome_of(trial: Trial, trained: Trained, ingredients: Ingredients, place: Path, *, save: bool) -> Outcome:
    """What a training came to; its items, and its weights if they are wanted, are written."""
    from safetensors.torch import save as packed

    reason = trained.history.stopped.partition(":")[0]
    if save:
        write_bytes(place / WEIGHTS, packed(_tensors(trained.model.state_dict())))
    val = trained.evaluations["val"]
    items = ingredients.task.per_item(val.outputs, val.targets).float().contiguous()
    losses = val.losses.float().contiguous()
    write_bytes(place / ITEMS, packed({"val": items} | ({} if losses.shape != items.shape else {"loss": losses})))
    return Outcome(
        trial=trial,
        status=reason if reason in ("diverged", "pruned") else "finished",
        metrics=trained.metrics,
        history=trained.history,
        steps=trained.steps,
        parameters=trained.parameters,
        weights=WEIGHTS if save else None,
        note=trained.history.stopped if reason in ("diverged", "pruned") else "",
    )


def _tensors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies: safetensors refuses tensors that share memory, as tied weights do."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}


def _lines(history: History) -> str:
    """One line an evaluation, for people and their plots; result.json has every step."""
    lines, begin = [], 0
    for point in history.points:
        losses = history.losses[begin : point.step]
        begin = point.step
        train = {"loss": sum(losses) / max(1, len(losses))}
        line = {"step": point.step, "epoch": point.epoch, "train": train, **point.metrics}
        lines.append(msgspec.json.encode(to_plain(line)).decode())
    return "".join(f"{line}\n" for line in lines)


def _yaml(plain: object) -> str:
    import yaml  # type: ignore[import-untyped]

    # libyaml's emitter, where there is one, takes a tenth of the time: with small nets, that of a whole training.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(to_plain(plain), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text

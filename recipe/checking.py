"""`recipe.check(model, loss, batch)`: what baseline can ask of these alone. It raises for no bug of theirs."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from recipe import __version__, brought
from recipe.checks.check import Check
from recipe.config import compose
from recipe.config.composed import check_settings
from recipe.environment import environment
from recipe.judge import catalogue, judge, unread
from recipe.record.refusal import Refusal, UserCodeError
from recipe.record.report import NOT_ASKED, Finding, Report, worst
from recipe.record.run_directory import RunDirectory, now
from recipe.render.stage_report import shown_evidence
from recipe.told import Told

RUNS = "model-runs"
"""The finding that stands alone when model and loss cannot be run on the batch."""


def check(
    model: Any,
    loss: Any = None,
    batch: Any = None,
    *,
    task: str = "auto",
    only: Collection[str] | None = None,
    skip: Mapping[str, str] | None = None,
    optimizer: Callable[..., Any] | None = None,
    step: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Told:
    """What the checks find in a model that has not been trained, a loss, and a batch (inputs, targets) of 16 or more.

    model: an nn.Module, which stays as it is, or a class or function that makes one. loss: called loss(outputs,
    targets) → scalar; None follows the task. inputs: a tensor, or a tuple or mapping of such, as the model takes them.
    task: as in the config, or told by targets and outputs. only: ids of checks; skip: {id: why}. optimizer: called with
    the parameters; else Adam as torch has it. step: called step(model, batch, loss).

    Weights and batch are used as they are: nothing is written, and nothing raised but TypeError for such arguments as
    no model could take.
    """
    given = {"model": model, "loss": loss, "optimizer": optimizer, "step": step}
    checks = checks_of_a_batch()
    known = {one.id: one.thresholds for one in checks}
    if unknown := sorted({*(only or ()), *(skip or ())} - set(known)):
        raise TypeError(f"there is no check {unknown[0]!r} of a batch; there are {', '.join(known)}")
    if not (isinstance(batch, (tuple, list)) and len(batch) == 2):
        raise TypeError(f"a batch is a pair (inputs, targets), not a {type(batch).__name__}")
    settings = {one: {"skip": why} for one, why in (skip or {}).items()}
    check_settings(settings, known)
    asked = [one.id for one in checks if only is None or one.id in only]
    with tempfile.TemporaryDirectory(prefix="recipe-check-") as folder:
        return _checked(given, batch, task, asked, settings, seed, Path(folder))


def checks_of_a_batch() -> list[Check]:
    """The checks all of whose evidence a model, a loss and a batch give."""
    from recipe.stages.checkup import EVIDENCE

    return [one for one in catalogue("baseline") if all(n.name in EVIDENCE for n in one.needs if not n.optional)]


def _checked(
    given: Mapping[str, Any],
    batch: Any,
    task: str,
    asked: list[str],
    settings: dict[str, Any],
    seed: int,
    folder: Path,
) -> Told:
    import torch

    from recipe.ingredients import Ingredients
    from recipe.stages import checkup
    from recipe.stages.stage import Stage

    started, notes, config = now(), [], {}
    findings: tuple[Finding, ...] = ()
    stage = None
    with torch.random.fork_rng():
        try:
            objects, words = _as_config(given, batch, task, seed, folder)
            with brought.holding(objects):
                composed = compose(words, given={}, trust=[brought.__name__])
                config = composed.masked
                ingredients = Ingredients(composed)
                without = unread("baseline", asked)
                stage = Stage("baseline", ingredients, folder, RunDirectory(folder), without=without)
                checkup.tell(stage)
                notes = stage.notes
            judged = judge("baseline", stage.shelf, settings, asked)
            findings = tuple(one for one in judged if one.reason != NOT_ASKED)
        except Exception as error:
            # Whatever it is, it is what they asked about.
            findings = (_stopped(error),)
    report = Report(
        stage="baseline",
        verdict=worst(findings),
        started=started,
        seconds=round(sum(one.seconds for one in findings), 1),
        seed=seed,
        config=config,
        environment=environment("cpu"),
        checks=findings,
        notes=tuple(notes),
    )
    return Told(report, page=shown_evidence(report, stage.shelf, folder / "figures") if stage else "")


def _as_config(
    given: Mapping[str, Any], batch: Any, task: str, seed: int, folder: Path
) -> tuple[dict[str, Any], list[str]]:
    """Objects, and the words of a config that names them; the batch is the training and the validation set."""
    import torch

    inputs, targets = batch
    model = given["model"]
    made = isinstance(model, torch.nn.Module)
    objects = {"model": (lambda: copy.deepcopy(model)) if made else model}
    place = next((p.device for p in model.parameters()), None) if made else None
    mirrored = targets is inputs
    classes = None if mirrored or not made else _classes(model, inputs, torch.as_tensor(targets))
    pair = (inputs, None if mirrored else targets)
    objects["data"] = lambda: {"train": pair, "val": pair, "classes": classes}
    words = [
        f"run.dir={folder}", "data.name=batch", "data.test_fraction=0", "data.preprocess=none", f"seed={seed}",
        f"train.batch_size={max(2, _size(inputs))}", f"task={'autoencoder' if mirrored else task}",
        f"device={place.type if place else 'cpu'}", "engine.threads=1",
    ]  # fmt: skip
    for key in ("loss", "optimizer", "step"):
        if given[key] is not None:
            objects[key] = given[key] if _is_factory(key, given[key]) else _Itself(given[key])
    words += [f"{key}._target_={brought.__name__}.{key}" for key in objects]
    # An optimizer of theirs has a rate of its own.
    words.append("~optimizer.lr" if "optimizer" in objects else "optimizer.lr=1e-3")
    return objects, words


class _Itself:
    """A factory of what is made already."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __call__(self) -> Any:
        return self.thing


def _is_factory(key: str, thing: Any) -> bool:
    """A loss that is a plain function is called later, as it is; a class, an optimizer and a step are called now."""
    import inspect

    return key != "loss" or inspect.isfunction(thing) or inspect.isclass(thing)


def _size(inputs: Any) -> int:
    from recipe.data.given import inputs_of
    from recipe.tree import leaves

    return len(next(leaves(inputs_of(inputs, "train", "batch"))))


def _classes(model: Any, inputs: Any, targets: Any) -> list[str] | None:
    """Names for as many classes as the model tells apart, where targets are whole numbers; a batch has not all."""
    import torch

    from recipe.tree import map_tree

    if targets.is_floating_point() or targets.dtype == torch.bool:
        return None
    twin = copy.deepcopy(model).eval()
    device = next((p.device for p in twin.parameters()), torch.device("cpu"))
    with torch.no_grad():
        outputs = twin(map_tree(lambda leaf: leaf.to(device), inputs))
    wide = isinstance(outputs, torch.Tensor) and outputs.ndim == targets.ndim + 1 and outputs.shape[-1] > 1
    return [str(k) for k in range(outputs.shape[-1])] if wide else None


def _stopped(error: Exception) -> Finding:
    """Why nothing could be measured, as a finding: their error with their frames, or a refusal with its fix."""
    theirs = error if isinstance(error, Refusal) else UserCodeError.of(error)
    if isinstance(theirs, UserCodeError):
        where, message, advice = theirs.frames[-1].strip(), theirs.what, "mend what raised it, then check again"
    elif theirs is not None:
        where, message, advice = theirs.where, theirs.what, theirs.fix
    else:
        where, message = "", f"{type(error).__name__}: {error}".split("\n")[0]
        advice = f"if no code of yours is in it, it is a bug in recipe {__version__}: please report it"
    return Finding(
        id=RUNS, title="Model and loss can be run on the batch", verdict="fail", message=message, where=where,
        advice=advice, cause=type(error).__name__, source="nothing else can be asked before",
    )  # fmt: skip

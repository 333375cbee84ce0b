from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.progress import Silent
from recipe.record.trial import Outcome, Pruning, Trial
from recipe.training import stacked_loop
from recipe.trials import stacked, ways
from recipe.trials.here import WEIGHTS, run_here
from recipe.trials.pool import run_trials
from recipe.trials.stacked import candidate, run_stacked

WORDS = ["model=mlp", "model.width=16", "model.depth=1", "train.batch_size=64", "init.prior_bias=true"]


def kitchen(*words: str) -> Ingredients:
    made = Ingredients(compose([*WORDS, *words]))
    _ = made.data
    return made


def alone(trials: Sequence[Trial], made: Ingredients, folder: Path) -> list[Outcome]:
    found: list[Outcome] = []
    run_here(trials, made, folder, threads=1, save=True, progress_of=lambda _: Silent(), done=found.append)
    return found


def together(trials: Sequence[Trial], made: Ingredients, folder: Path) -> list[Outcome]:
    found: dict[str, Outcome] = {}
    run_stacked(
        trials, made, folder, threads=1, save=True, progress=Silent(), done=lambda o: found.update({o.trial.id: o})
    )
    return [found[trial.id] for trial in trials]


def trials_of(
    changes: Sequence[dict[str, Any]], seeds: Sequence[int] = (1,), steps: int = 24, pruning: Pruning | None = None
) -> list[Trial]:
    return [
        Trial(name=f"trial {i}", change=change, seed=seed, steps=steps, pruning=pruning)
        for i, change in enumerate(changes)
        for seed in seeds
    ]


def weights(outcome: Outcome, folder: Path) -> torch.Tensor:
    state = load_file(folder / outcome.trial.id / WEIGHTS)
    return torch.cat([state[name].flatten() for name in sorted(state)])


CASES: dict[str, tuple[list[str], list[dict[str, Any]], tuple[int, ...]]] = {
    "rates and decays under adam": (
        [],
        [
            {"optimizer.lr": 1e-3},
            {"optimizer.lr": 1e-2, "regularizers.weight_decay": 0.1},
            {"optimizer.weight_decay": 0.01},
        ],
        (1,),
    ),
    "adamw": (["optimizer=adamw"], [{"optimizer.weight_decay": 0.1}, {"optimizer.lr": 1e-2}], (1, 2)),
    "momenta, nesterov and clipping": (
        ["optimizer=sgd", "optimizer.lr=0.1", "optimizer.momentum=0.9", "optimizer.nesterov=true"],
        [{}, {"optimizer.momentum": 0.5}, {"train.clip_norm": 0.5}],
        (1,),
    ),
    "dropout, smoothing and noise by seed": (
        ["regularizers.dropout=0.2", "schedule=cosine"],
        [{}, {"regularizers.dropout": 0.5, "regularizers.label_smoothing": 0.1}, {"regularizers.input_noise": 0.3}],
        (1, 2),
    ),
    "penalties and averages": (
        ["optimizer.lr=1e-2"],
        [{"regularizers.l1": 1e-3}, {"regularizers.max_norm": 0.5}, {"regularizers.ema": 0.9}],
        (1,),
    ),
    "batch norm, early stopping and a listening schedule": (
        # Adam turns the rounding of gradients that are zero but for it (of constant pixels) into whole steps.
        ["model.norm=batch", "early_stopping.patience=1", "schedule=halve_on_plateau", "optimizer=sgd"],
        [{"optimizer.lr": 0.1}, {"optimizer.lr": 0.01}],
        (1, 2),
    ),
    "another optimizer": (["optimizer=rmsprop"], [{"optimizer.lr": 1e-3}, {"optimizer.lr": 3e-3}], (1,)),
}


@pytest.mark.parametrize("case", CASES)
def test_stacked_trials_come_to_what_single_ones_come_to(case: str, tmp_path: Path) -> None:
    words, changes, seeds = CASES[case]
    made, trials = kitchen(*words), trials_of(changes, seeds)
    assert {candidate(trial, made).reason for trial in trials} == {""}
    one, many = alone(trials, made, tmp_path / "alone"), together(trials, made, tmp_path / "together")
    for a, b in zip(one, many, strict=True):
        assert (b.status, b.steps, b.history.best_step) == (a.status, a.steps, a.history.best_step)
        assert b.history.losses == pytest.approx(a.history.losses, abs=2e-5)
        assert b.history.rates == a.history.rates
        assert [point.step for point in b.history.points] == [point.step for point in a.history.points]
        assert b.metrics["val"] == pytest.approx(a.metrics["val"], abs=1e-4)
        torch.testing.assert_close(
            weights(b, tmp_path / "together"), weights(a, tmp_path / "alone"), atol=2e-5, rtol=1e-4
        )


def one_diverges(
    tmp_path: Path, *words: str, steps: int = 24, atol: float = 1e-5, rtol: float = 1e-4
) -> tuple[list[Outcome], list[Outcome]]:
    """Three trials alone and in a stack, of which the second diverges; the weights of all are those of single ones."""
    made = kitchen("optimizer=sgd", "optimizer.lr=0.1", *words)
    trials = trials_of([{}, {"optimizer.lr": 1e20}, {"optimizer.lr": 0.05}], steps=steps)
    one, many = alone(trials, made, tmp_path / "alone"), together(trials, made, tmp_path / "together")
    assert [outcome.status for outcome in many] == ["finished", "diverged", "finished"]
    for a, b in zip(one, many, strict=True):
        torch.testing.assert_close(
            weights(b, tmp_path / "together"), weights(a, tmp_path / "alone"), atol=atol, rtol=rtol, equal_nan=True
        )
    return one, many


def test_one_that_diverges_does_not_touch_the_others(tmp_path: Path) -> None:
    one, many = one_diverges(tmp_path)
    assert many[1].note == one[1].note


def test_steps_that_do_not_wait_for_the_device_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, but unrecorded: losses are fetched from time to time, and what has diverged stays as it is."""

    def unasked(course: stacked_loop.Course, *batch: Any) -> None:
        course._waiting.append(course.stepper.take(*batch))

    monkeypatch.setattr(stacked_loop.Course, "_take", unasked)
    one, many = one_diverges(tmp_path)
    assert many[1].steps == one[1].steps


def test_one_that_is_pruned_ends_where_it_would_alone_and_the_others_go_on(tmp_path: Path) -> None:
    made = kitchen()
    bars = Pruning(split="val", metric="loss", higher_is_better=False, bars=((0.2, 2.0),))
    trials = trials_of([{"optimizer.lr": 3e-2}, {"optimizer.lr": 1e-5}], pruning=bars)
    one, many = alone(trials, made, tmp_path / "alone"), together(trials, made, tmp_path / "together")
    assert [outcome.status for outcome in many] == ["finished", "pruned"]
    assert [outcome.steps for outcome in many] == [outcome.steps for outcome in one]


def test_a_stack_that_was_interrupted_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, trials = kitchen("regularizers.dropout=0.2"), trials_of([{}, {"optimizer.lr": 1e-2}], seeds=(1, 2))
    whole = together(trials, made, tmp_path / "whole")

    class Killed(BaseException):
        """As an interrupt would be."""

    class Often(stacked.Checkpoint):
        def due(self, step: int, now: float) -> bool:
            return step % 5 == 0

    taken = stacked_loop.Course._take

    def killed(course: stacked_loop.Course, step: int, *batch: Any) -> None:
        if step == 12:
            raise Killed
        taken(course, step, *batch)

    monkeypatch.setattr(stacked, "Checkpoint", Often)
    monkeypatch.setattr(stacked_loop.Course, "_take", killed)
    with pytest.raises(Killed):
        together(trials, made, tmp_path / "cut")
    monkeypatch.setattr(stacked_loop.Course, "_take", taken)
    steps: list[int] = []
    monkeypatch.setattr(
        stacked_loop.Course, "_take", lambda course, step, *batch: (steps.append(step), taken(course, step, *batch))
    )
    resumed = run_trials(trials, made, tmp_path / "cut", workers=1, save=True)
    assert steps[0] == 10
    for a, b in zip(whole, resumed, strict=True):
        assert b.history == a.history
        assert torch.equal(weights(b, tmp_path / "cut"), weights(a, tmp_path / "whole"))
    assert not list((tmp_path / "cut").glob("*/stack"))


@pytest.mark.parametrize(
    ("words", "change", "told"),
    [
        ([], {"regularizers.mixup": 0.2}, "mixup belongs to a single model"),
        ([], {"regularizers.copy_paste": 0.2}, "copy_paste belongs to a single model"),
        ([], {"regularizers.variational_dropout": 0.2}, "variational_dropout belongs to a single model"),
        ([], {"train.accumulate": 2}, "added up"),
        (["optimizer=rprop"], {}, "Rprop is not known"),
        (["model=convnet"], {}, "memory layout"),
    ],
)
def test_what_cannot_be_stacked_says_why(words: list[str], change: dict[str, Any], told: str) -> None:
    assert (
        told in candidate(trials_of([change])[0], kitchen(*words) if words != ["model=convnet"] else convnet()).reason
    )


def convnet() -> Ingredients:
    return Ingredients(compose(["model=convnet", "model.channels=4", "model.width=8"]))


def test_other_shapes_and_batches_make_other_stacks() -> None:
    made = kitchen()
    keys = [
        candidate(trial, made).key
        for trial in trials_of([{}, {"optimizer.lr": 1e-2}, {"model.width": 8}, {"train.batch_size": 32}])
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_the_faster_way_is_measured_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kitchen("engine.stacked=true")
    monkeypatch.setattr(ways, "measure", lambda _: (1.0, 0.6))
    first = run_trials(trials_of([{}, {"optimizer.lr": 1e-2}], steps=4), made, tmp_path, workers=1)
    (way,) = ways.recorded(tmp_path).ways
    assert way.stacked
    assert way.seconds == pytest.approx(4.0)
    assert way.in_order == pytest.approx(4.8)
    assert all("in one program" in outcome.history.notes[-1] for outcome in first)
    monkeypatch.setattr(ways, "measure", lambda _: (1.0, 0.1))
    again = run_trials(trials_of([{}, {"optimizer.lr": 1e-3}], seeds=(5,), steps=4), made, tmp_path, workers=1)
    assert all("in one program" in outcome.history.notes[-1] for outcome in again)


def test_slower_stacks_go_the_usual_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kitchen("engine.stacked=true")
    monkeypatch.setattr(ways, "measure", lambda _: (1.0, 0.1))
    outcomes = run_trials(trials_of([{}, {"optimizer.lr": 1e-2}], steps=4), made, tmp_path, workers=1)
    assert not any(outcome.history.notes for outcome in outcomes)
    assert "measured" in ways.recorded(tmp_path).ways[0].reason


def test_a_model_that_torch_cannot_map_over_goes_the_usual_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from torch import nn\n\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self, num_outputs):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(64, num_outputs))\n\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) * (1.0 if self[1].weight.abs().max().item() > 0 else 2.0)\n"
    )
    (tmp_path / "branchy.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["model=custom", "model._target_=branchy.Net", "trust=[branchy]", "engine.stacked=true"]
    made = Ingredients(compose(words))
    outcomes = run_trials(trials_of([{}, {"optimizer.lr": 1e-2}], steps=4), made, tmp_path / "runs", workers=1)
    assert [outcome.status for outcome in outcomes] == ["finished", "finished"]
    assert "torch cannot map over it" in ways.recorded(tmp_path / "runs").ways[0].reason


def test_nothing_is_stacked_without_being_asked(tmp_path: Path) -> None:
    run_trials(trials_of([{}, {"optimizer.lr": 1e-2}], steps=4), kitchen(), tmp_path, workers=1)
    assert not (tmp_path / ways.FILE).exists()

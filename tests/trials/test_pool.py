from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch

from recipe.ingredients import Ingredients
from recipe.record.plain import from_json, to_json
from recipe.record.progress import Bar
from recipe.record.refusal import UserCodeError
from recipe.record.trial import Outcome, Trial
from recipe.trials import here, pool
from recipe.trials.here import finished, items_of, load_weights, run_one
from recipe.trials.pool import run_trials


def trials(count: int = 3, steps: int = 8) -> list[Trial]:
    return [
        Trial(name=f"rate {i}", change={"optimizer.lr": 10.0**-i}, seed=i, steps=steps) for i in range(1, count + 1)
    ]


def test_outcomes_come_in_the_order_of_the_trials(ingredients: Ingredients, tmp_path: Path) -> None:
    first = run_trials(trials()[1:], ingredients, tmp_path, workers=1)
    outcomes = run_trials(trials(), ingredients, tmp_path, workers=1)
    assert [outcome.trial for outcome in outcomes] == trials()
    assert outcomes[1:] == first


def test_a_finished_trial_is_not_run_again(
    ingredients: Ingredients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_trials(trials(1), ingredients, tmp_path, workers=1)
    monkeypatch.setattr(here, "run_one", None)
    assert run_trials(trials(1), ingredients, tmp_path, workers=1) == before


def test_the_same_trial_twice_is_run_once(ingredients: Ingredients, tmp_path: Path) -> None:
    a, b = run_trials(trials(1) * 2, ingredients, tmp_path, workers=1)
    assert a == b
    assert len(list(tmp_path.iterdir())) == 1


def test_a_torn_result_is_run_again(ingredients: Ingredients, tmp_path: Path) -> None:
    (before,) = run_trials(trials(1), ingredients, tmp_path, workers=1)
    file = tmp_path / before.trial.id / "result.json"
    file.write_bytes(file.read_bytes()[:100])
    (after,) = run_trials(trials(1), ingredients, tmp_path, workers=1)
    assert same(after, before)


def test_weights_are_kept_when_asked_for_even_after_a_run_without(ingredients: Ingredients, tmp_path: Path) -> None:
    (without,) = run_trials(trials(1), ingredients, tmp_path, workers=1)
    (kept,) = run_trials(trials(1), ingredients, tmp_path, workers=1, save=True)
    assert without.weights is None
    model = load_weights(ingredients.model(99), kept, tmp_path)
    metrics, _ = ingredients.measure(model, ingredients.feed("val"))
    assert metrics == pytest.approx(kept.metrics["val"])


def test_a_trial_leaves_config_history_and_items(ingredients: Ingredients, tmp_path: Path) -> None:
    (outcome,) = run_trials(trials(1), ingredients, tmp_path, workers=1)
    folder = tmp_path / outcome.trial.id
    assert "lr: 0.1" in (folder / "config.yaml").read_text()
    lines = (folder / "history.jsonl").read_text().splitlines()
    assert len(lines) == len(outcome.history.points)
    items = items_of(outcome, tmp_path, "accuracy")
    assert items is not None
    assert sum(items) / len(items) == pytest.approx(outcome.value("val", "accuracy"))
    losses = items_of(outcome, tmp_path, "loss")
    assert losses is not None
    assert sum(losses) / len(losses) == pytest.approx(outcome.value("val", "loss"), rel=1e-4)
    assert not (folder / "checkpoints").exists()
    assert from_json((folder / "result.json").read_bytes(), Outcome) == outcome


def test_threads_are_put_back(ingredients: Ingredients, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    run_trials(trials(1), ingredients, tmp_path, workers=1, threads=1)
    assert torch.get_num_threads() == before


def test_divergence_is_an_outcome(ingredients: Ingredients, tmp_path: Path) -> None:
    wild = Trial(name="wild", change={"optimizer": "sgd", "optimizer.lr": 1e9}, seed=0, steps=30)
    (outcome,) = run_trials([wild], ingredients, tmp_path, workers=1)
    assert outcome.status == "diverged"
    assert "step" in outcome.note
    again = finished(wild, tmp_path, save=True)
    assert again is not None
    assert to_json(again) == to_json(outcome)


def test_a_run_ends_when_the_training_error_is_low_enough(ingredients: Ingredients, tmp_path: Path) -> None:
    easy = Trial(name="easy", change={"optimizer.lr": 0.01}, seed=0, steps=400, until=0.2)
    (outcome,) = run_trials([easy], ingredients, tmp_path, workers=1)
    assert outcome.history.stopped == "target-reached"
    assert outcome.steps < 400
    assert outcome.value("train", "error") <= 0.2


def test_a_limit_is_kept(ingredients: Ingredients, tmp_path: Path) -> None:
    few = Trial(name="few", change={}, seed=0, steps=4, limit=100)
    (outcome,) = run_trials([few], ingredients, tmp_path, workers=1)
    assert outcome.history.steps_per_epoch == 2


def test_lack_of_memory_is_an_outcome(
    ingredients: Ingredients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Ingredients, "train", train)
    outcome = run_one(trials(1)[0], ingredients, tmp_path, threads=1, save=False)
    assert (outcome.status, outcome.metrics) == ("failed", {})


def test_an_error_of_the_users_stops_everything(with_model: object, tmp_path: Path) -> None:
    broken = with_model("raise ValueError('mine')")  # type: ignore[operator]
    with pytest.raises(UserCodeError, match="mine") as caught:
        run_trials([Trial(name="t", change={}, seed=0)], broken, tmp_path / "trials", workers=1)
    assert "theirs.py" in caught.value.frames[-1]


def test_progress_says_how_many_of_how_many(ingredients: Ingredients, tmp_path: Path) -> None:
    board = Told()
    run_trials(trials(2), ingredients, tmp_path, workers=1, progress=board)
    assert board.total == 2
    assert sum(board.amounts) == pytest.approx(2)
    assert board.notes[-1].startswith("2 of 2: rate 2")


@pytest.mark.parametrize(("each", "started"), [(0.3, False), (100.0, True)])
def test_workers_are_started_when_they_save_more_than_they_cost(
    each: float, started: bool, ingredients: Ingredients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def run_in_processes(some: list[Trial], *_: object, done: Callable[[Outcome], None], **__: object) -> None:
        asked.append(len(some))
        here.run_here(some, ingredients, tmp_path, threads=1, save=False, progress_of=lambda _: Told(), done=done)

    monkeypatch.setattr(pool.processes, "running", lambda: False)
    monkeypatch.setattr(pool.processes, "run_in_processes", run_in_processes)
    run_trials(trials(3), ingredients, tmp_path, workers=2, each=each)
    assert asked == ([3] if started else [])


def test_without_an_estimate_the_first_trial_tells(ingredients: Ingredients) -> None:
    outcome = Outcome(trial=trials(1)[0], status="finished", metrics={}, history=here.History(), steps=8, seconds=0.5)
    assert pool._seconds(outcome, trials(3, steps=16), ingredients) == pytest.approx(3.0)


def same(one: Outcome, other: Outcome) -> bool:
    """But for the time it took."""
    return msgspec.structs.replace(one, seconds=0.0) == msgspec.structs.replace(other, seconds=0.0)


@dataclasses.dataclass
class Told:
    """Progress that remembers."""

    total: float = 0
    amounts: list[float] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def bar(self, label: str, total: float) -> Bar:
        self.total = total
        return self

    def say(self, line: str) -> None: ...

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.amounts.append(amount)
        self.notes.append(note)

    def done(self) -> None: ...

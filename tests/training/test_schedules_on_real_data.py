"""Schedules over real runs, by config: ours and torch's, and whether the rate that was used is judged rightly."""

from __future__ import annotations

import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.history import History
from recipe.record.report import Finding
from recipe.testing import run_check

SCHEDULER = "schedule._target_=torch.optim.lr_scheduler"
LAST = {
    "constant": ["schedule=constant"],
    "step": ["schedule=step"],
    "exponential": ["schedule=exponential"],
    "1/t": ["schedule=inverse_time"],
    "halve on plateau": ["schedule=halve_on_plateau"],
    "cosine": ["schedule=cosine"],
    "one cycle": ["schedule=one_cycle"],
    "warm-up, cosine": ["schedule=warmup_cosine"],
    "polynomial": ["schedule=polynomial"],
    "torch, by epoch": [f"{SCHEDULER}.CosineAnnealingLR", "+schedule.T_max=8", "+schedule.interval=epoch"],
    "torch, by step": [f"{SCHEDULER}.LinearLR", "+schedule.total_iters=100", "+schedule.interval=step"],
    "torch, restarts": [f"{SCHEDULER}.CosineAnnealingWarmRestarts", "+schedule.T_0=3"],
}
DIE = {
    "S01 a tenth each epoch": [f"{SCHEDULER}.ExponentialLR", "+schedule.gamma=0.1"],
    "S01 epochs taken for steps": [f"{SCHEDULER}.StepLR", "+schedule.step_size=10", "+schedule.interval=step"],
    "a decay for fewer steps": [f"{SCHEDULER}.PolynomialLR", "+schedule.total_iters=20", "+schedule.interval=step"],
    "a fall to a fortieth that stays": [
        f"{SCHEDULER}.MultiStepLR", "+schedule.milestones=[8]", "+schedule.gamma=0.025", "+schedule.interval=step",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def judged():
    """The finding of effective-rate on a real run on digits."""
    data = Ingredients(compose([])).data

    def finding(words: list[str], seed: int) -> tuple[Finding, History]:
        small = ["model.width=64", "train.epochs=8", "optimizer.lr=1e-3"]
        run = Ingredients(compose([*small, *words]), data=data).train(seed).history
        return run_check("effective-rate", run=run), run

    return finding


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", LAST)
def test_a_schedule_that_lasts_is_left_alone(name, seed, judged):
    finding, run = judged(LAST[name], seed)
    assert finding.verdict == "pass", finding.message
    assert run.losses[-1] < 0.8 * run.losses[0]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", DIE)
def test_a_rate_that_dies_while_the_loss_falls_is_told(name, seed, judged):
    finding, _ = judged(DIE[name], seed)
    assert (finding.verdict, finding.cause) == ("fail", "schedule-decays-early"), finding.message


@pytest.mark.parametrize("seed", [0, 1])
def test_a_rate_that_dies_after_the_loss_has_flattened_took_nothing(seed, judged):
    # One unit cannot tell ten digits apart: its loss is flat long before the rate is gone.
    words = ["model.width=1", "model.depth=1", "schedule=step", "schedule.at=[0.7]", "schedule.factor=1e-3"]
    finding, _ = judged([*words, "train.epochs=30", "optimizer.lr=0.1"], seed)
    assert (finding.verdict, "flattened" in finding.message) == ("pass", True), finding.message

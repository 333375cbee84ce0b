"""A run that is stopped anywhere and goes on ends in the same bytes."""

import itertools

import msgspec
import pytest
import torch
from torch import nn

from recipe.training.augment import Flip, Noise, Shift
from recipe.training.checkpoint import Checkpoint
from recipe.training.early_stopping import EarlyStopping
from recipe.training.evaluate import evaluate
from recipe.training.feed import feed_of
from recipe.training.loop import fit

STEPS = 40
EVERYTHING = {
    "optimizer": {"_target_": "torch.optim.Adam", "lr": 1e-2},
    "schedule": {"_target_": "recipe.training.schedules.Cosine"},
    "regularizers": {"weight_decay": 0.01, "ema": 0.9, "gradient_noise": 0.01, "mixup": 0.4, "max_norm": 1.0},
    "train": {"clip_norm": 1.0, "channels_last": True},
}
OTHERS = {
    "momentum": {"optimizer": {"_target_": "torch.optim.SGD", "lr": 0.05, "momentum": 0.9, "nesterov": True}},
    "lbfgs": {"optimizer": {"_target_": "torch.optim.LBFGS", "lr": 0.5, "max_iter": 3}},
    "half": {"train": {"precision": "fp16"}},
    "accumulate": {"train": {"accumulate": 3}},
    "plateau": {"schedule": {"_target_": "recipe.training.schedules.HalveOnPlateau", "patience": 1}},
    "torch schedule": {
        "schedule": {"_target_": "torch.optim.lr_scheduler.StepLR", "step_size": 3, "interval": "epoch"},
        "optimizer": {"_target_": "torch.optim.RMSprop", "lr": 1e-3},
    },
    "adagrad": {"optimizer": {"_target_": "torch.optim.Adagrad", "lr": 0.01}},
    "nadam": {"optimizer": {"_target_": "torch.optim.NAdam", "lr": 0.01}},
}


class Killed(BaseException):
    """As a signal would: no handler for Exception hears it."""


class KillAfter:
    def __init__(self, step):
        self.step = step

    def after_backward(self, step, learner):
        if step == self.step:
            raise Killed

    def after_step(self, step, learner):
        pass


class Setting:
    def __init__(self, pictures, net, learner, config, weights_of):
        self.pictures, self.net, self.learner, self.config, self.weights_of = pictures, net, learner, config, weights_of

    def run(self, checkpoint=None, kill=None, patience=20):
        """(hash of the weights, history) of a run with all that has a state."""
        model = self.net(dropout=0.3)
        augment = [Shift(1), Flip(), Noise(0.1)]
        feed = feed_of(self.pictures, batch_size=8, seed=5, shuffle=True, transforms=augment)
        plain = feed_of(self.pictures, batch_size=16, seed=5, shuffle=False)
        history = fit(
            self.learner(model, self.config), feed, steps=STEPS, seed=3, sample_every=7, evaluate_every=3,
            evaluate=lambda m: {"val": {"loss": evaluate(m, plain, nn.CrossEntropyLoss()).loss}},
            early_stopping=EarlyStopping(patience=patience), watchers=[KillAfter(kill)], checkpoint=checkpoint,
        )  # fmt: skip
        return self.weights_of(model), msgspec.json.encode(history)


@pytest.fixture
def setting(pictures, net, learner, weights_of):
    return lambda config: Setting(pictures, net, learner, config, weights_of)


def test_stopped_at_every_step(setting, tmp_path):
    runs = setting(EVERYTHING)
    whole = runs.run()
    equal = 0
    for step in range(STEPS):
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            runs.run(Checkpoint(folder, every=max(1, step)), kill=step)
        torch.manual_seed(step)
        equal += runs.run(Checkpoint(folder, every=10**6)) == whole
    assert equal == STEPS


def test_stopped_twice_and_with_old_checkpoints(setting, tmp_path):
    runs = setting(EVERYTHING)
    whole = runs.run()
    for first, second in itertools.product((5, 17), (19, 38)):
        folder = tmp_path / f"{first}-{second}"
        for kill in (first, second):
            with pytest.raises(Killed):
                runs.run(Checkpoint(folder, every=4), kill=kill)
        assert runs.run(Checkpoint(folder, every=4)) == whole


@pytest.mark.parametrize("name", OTHERS)
def test_stopped_with_other_settings(setting, tmp_path, name):
    runs = setting(OTHERS[name])
    whole = runs.run()
    for step in (1, 14, 33):
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            runs.run(Checkpoint(folder, every=step), kill=step)
        assert runs.run(Checkpoint(folder, every=10**6)) == whole


def test_a_finished_run_is_not_run_again(setting, tmp_path):
    runs = setting(EVERYTHING)
    whole = runs.run(Checkpoint(tmp_path, every=1))
    assert runs.run(Checkpoint(tmp_path, every=1), kill=STEPS - 1) == whole


def test_patience_survives(setting, tmp_path):
    runs = setting({"optimizer": {"_target_": "torch.optim.SGD", "lr": 1.0}})
    whole = runs.run(patience=2)
    steps = msgspec.json.decode(whole[1])["losses"]
    assert len(steps) < STEPS
    for step in range(len(steps) - 6, len(steps)):
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            runs.run(Checkpoint(folder, every=step), kill=step, patience=2)
        assert runs.run(Checkpoint(folder, every=10**6), patience=2) == whole


def test_without_the_random_state_of_a_step_this_test_would_fail(setting, tmp_path, monkeypatch):
    """The negative control: seeds that are not a function of the step."""
    monkeypatch.setattr("recipe.training.loop._Run.reseed", lambda self, count: setattr(self, "_now", count))
    runs = setting(EVERYTHING)
    torch.manual_seed(0)
    whole = runs.run()
    torch.manual_seed(0)
    with pytest.raises(Killed):
        runs.run(Checkpoint(tmp_path, every=1), kill=20)
    torch.manual_seed(1)
    assert runs.run(Checkpoint(tmp_path, every=10**6)) != whole

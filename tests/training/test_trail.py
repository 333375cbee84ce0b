from __future__ import annotations

import pytest
import torch
from torch import nn

from recipe.training.checkpoint import Checkpoint, load_weights
from recipe.training.feed import feed_of
from recipe.training.learner import Learner
from recipe.training.loop import fit
from recipe.training.norms import reestimate, running_norms
from recipe.training.schedules import Cyclic
from recipe.training.trail import KINDS, Snapshots, Trail, due, file_of, snapshot_file

STEPS = 40


class Rows:
    name = "train"

    def __init__(self, n=96):
        generator = torch.Generator().manual_seed(0)
        self.inputs = torch.randn(n, 4, generator=generator)
        self.targets = (self.inputs.sum(1) > 0).long()

    def __len__(self):
        return len(self.targets)


class Killed(BaseException):
    pass


class KillAfter:
    def __init__(self, step):
        self.step = step

    def after_backward(self, step, learner):
        if step == self.step:
            raise Killed

    def after_step(self, step, learner):
        pass


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def run(*watchers, checkpoint=None, lr=0.1):
    model = net()
    learner = Learner(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=lr))
    feed = feed_of(Rows(), batch_size=16, seed=0, shuffle=True)
    history = fit(learner, feed, steps=STEPS, seed=0, watchers=watchers, checkpoint=checkpoint)
    return model, history


class Keeps:
    """All weights of a run, to average by hand."""

    def __init__(self):
        self.all = []

    def after_backward(self, step, learner):
        pass

    def after_step(self, step, learner):
        self.all.append(learner.model[0].weight.detach().clone())


class TestTrail:
    def test_each_average_is_the_mean_it_says(self, tmp_path):
        kept, trail = Keeps(), Trail(STEPS)
        model, _ = run(kept, trail)
        own = model[0].weight.clone()
        trail.write(tmp_path, model)
        assert torch.equal(model[0].weight, own)
        for kind, (count, share) in (("swa", (25, 0.25)), ("last checkpoints", (5, 0.10))):
            load_weights(tmp_path / file_of(kind), model)
            expected = torch.stack([kept.all[step - 1] for step in sorted(due(STEPS, count, share))]).mean(0)
            assert torch.allclose(model[0].weight, expected, atol=1e-6)

    def test_a_moving_average_lags_behind_and_a_longer_one_lags_more(self, tmp_path):
        model, _ = run(trail := Trail(STEPS), lr=0.01)
        last = model[0].weight.detach().clone()
        trail.write(tmp_path, model)
        apart = []
        for kind in ("ema 2 %", "ema 10 %"):
            load_weights(tmp_path / file_of(kind), model)
            apart.append(float((model[0].weight.detach() - last).norm()))
        assert 0 < apart[0] < apart[1]

    @pytest.mark.parametrize("killed", [3, 33, 38])
    def test_a_killed_run_leaves_the_same_averages_and_snapshots(self, tmp_path, killed):
        whole, broken = tmp_path / "whole", tmp_path / "broken"
        for folder in (whole, broken):
            folder.mkdir()
        model, _ = run(trail := Trail(STEPS), Snapshots(whole, STEPS, 4))
        trail.write(whole, model)
        checkpoint = Checkpoint(tmp_path / "checkpoints", every=1)
        with pytest.raises(Killed):
            run(Trail(STEPS), Snapshots(broken, STEPS, 4), KillAfter(killed), checkpoint=checkpoint)
        again = Checkpoint(tmp_path / "checkpoints", every=1)
        model, _ = run(trail := Trail(STEPS), Snapshots(broken, STEPS, 4), KillAfter(-1), checkpoint=again)
        trail.write(broken, model)
        names = [file_of(kind) for kind in KINDS] + [snapshot_file(part) for part in (1, 2, 3, 4)]
        assert [(whole / name).read_bytes() for name in names] == [(broken / name).read_bytes() for name in names]


def test_the_last_snapshot_is_what_the_run_ends_with(tmp_path):
    model, _ = run(Snapshots(tmp_path, STEPS, 3))
    other = net()
    load_weights(tmp_path / snapshot_file(3), other)
    assert torch.equal(other[0].weight, model[0].weight)
    load_weights(tmp_path / snapshot_file(1), other)
    assert not torch.equal(other[0].weight, model[0].weight)


class TestNorms:
    def test_statistics_are_those_of_the_data(self):
        model = net()
        model[1].running_mean.fill_(50.0)
        rows = Rows()
        assert reestimate(model, feed_of(rows, batch_size=96, seed=0, shuffle=False))
        seen = model[0](rows.inputs)
        assert torch.allclose(model[1].running_mean, seen.mean(0), atol=1e-5)
        assert torch.allclose(model[1].running_var, seen.var(0), atol=1e-5)
        assert model[1].momentum == 0.1
        assert model.training

    def test_dropout_stays_off(self):
        model = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(4))
        rows = Rows()
        reestimate(model, feed_of(rows, batch_size=96, seed=0, shuffle=False))
        assert torch.allclose(model[1].running_mean, rows.inputs.mean(0), atol=1e-5)

    def test_a_net_without_norms_is_left_alone(self):
        assert not reestimate(nn.Linear(4, 2), feed_of(Rows(), batch_size=96, seed=0, shuffle=False))
        assert running_norms(net())


def test_a_cyclic_rate_is_let_down_as_often_as_it_says():
    schedule = Cyclic(cycles=3)
    rates = [schedule(step / 300) for step in range(300)]
    assert [step for step in range(300) if rates[step] == 1.0] == [0, 100, 200]
    assert max(rates[99], rates[199], rates[299]) < 0.001


def test_a_run_that_is_told_to_stop_goes_on_to_the_same_bytes(tmp_path):
    def part(steps, enough, checkpoint):
        model = net()
        learner = Learner(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()))
        feed = feed_of(Rows(), batch_size=16, seed=0, shuffle=True)
        return model, fit(learner, feed, steps=steps, seed=0, checkpoint=checkpoint, enough=enough)

    asked = iter(range(100))
    _, first = part(STEPS, lambda: next(asked) == 10, Checkpoint(tmp_path, every=1000))
    assert (first.stopped, first.steps) == ("told to stop", 11)
    model, second = part(STEPS, None, Checkpoint(tmp_path, every=1000))
    whole, unbroken = part(STEPS, None, None)
    assert (second.stopped, second.losses) == ("finished", unbroken.losses)
    assert torch.equal(model[3].weight, whole[3].weight)

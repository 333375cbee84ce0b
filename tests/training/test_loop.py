import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from recipe.record.refusal import Refusal
from recipe.training.augment import Noise, Shift
from recipe.training.early_stopping import EarlyStopping
from recipe.training.evaluate import evaluate
from recipe.training.feed import feed_of
from recipe.training.loop import fit

SGD = {"optimizer": {"_target_": "torch.optim.SGD", "lr": 0.05}}


@pytest.fixture
def feed(pictures):
    return feed_of(pictures, batch_size=8, seed=0, shuffle=True)


@pytest.fixture
def look(feed):
    def measure(model):
        return {"val": {"loss": evaluate(model, feed, nn.CrossEntropyLoss()).loss}}

    return measure


def test_it_learns(net, learner, feed, look):
    history = fit(learner(net()), feed, steps=60, seed=0, evaluate=look)
    assert history.points[-1].metrics["val"]["loss"] < 0.2
    assert (history.stopped, history.steps, history.best_step, history.steps_per_epoch) == ("finished", 60, 60, 7)
    assert [p.step for p in history.points] == [7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert history.rates == (0.01,) * 60


def test_the_steps_are_those_of_a_plain_loop_bit_by_bit(net, learner, feed, weights_of):
    ours, theirs = net(), net()
    history = fit(learner(ours), feed, steps=20, seed=0)
    optimizer, losses = torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True), []
    batches = feed.batches()
    for _ in range(20):
        batch = next(batches)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(theirs(batch.inputs), batch.targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert history.losses == tuple(losses)
    assert weights_of(ours) == weights_of(theirs)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(net, learner, pictures, weights_of):
    found = []
    for seed in (0, 0, 1):
        model = net(dropout=0.5)
        torch.manual_seed(len(found))
        fit(learner(model), feed_of(pictures, batch_size=8, seed=0, shuffle=True), steps=10, seed=seed)
        found.append(weights_of(model))
    assert found[0] == found[1] != found[2]


def test_two_half_batches_are_one(net, learner, pictures):
    whole, halves = net(), net()
    for model in (whole, halves):
        model[1].eval()
    order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    for model, size, accumulate in ((whole, 12, 1), (halves, 7, 2)):
        del model[1]
        feed = feed_of(pictures, batch_size=size, seed=0, shuffle=True, sampler=order)
        history = fit(learner(model, {**SGD, "train": {"accumulate": accumulate}}), feed, steps=5, seed=0)
        assert history.steps_per_epoch == 1
    for a, b in zip(whole.parameters(), halves.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_clipping_limits_the_step_and_is_counted(net, learner, feed):
    model = net()
    before = [p.detach().clone() for p in model.parameters()]
    history = fit(learner(model, {**SGD, "train": {"clip_norm": 1e-3}}), feed, steps=1, seed=0)
    moved = sum((p - q).square().sum().item() for p, q in zip(model.parameters(), before, strict=True)) ** 0.5
    assert moved == pytest.approx(0.05 * 1e-3, rel=1e-3)
    assert history.clip_rate == 1.0
    assert fit(learner(net(), {**SGD, "train": {"clip_norm": 1e3}}), feed, steps=5, seed=0).clip_rate == 0.0
    assert fit(learner(net(), SGD), feed, steps=5, seed=0).clip_rate is None


def test_penalties_move_weights_but_are_not_in_the_loss(net, learner, feed):
    plain, sparse = net(), net()
    first = fit(learner(plain, SGD), feed, steps=1, seed=0)
    second = fit(learner(sparse, {**SGD, "regularizers": {"l1": 0.1}}), feed, steps=1, seed=0)
    assert first.losses == second.losses
    difference = plain[5].weight - sparse[5].weight
    assert torch.allclose(difference, 0.05 * 0.1 * torch.sign(net()[5].weight), atol=1e-6)
    assert torch.equal(plain[5].bias, sparse[5].bias)


REGULARIZERS = [
    {"dropout": 0.3}, {"weight_decay": 0.1}, {"l1": 1e-3}, {"max_norm": 0.5}, {"activation_l1": 0.1}, {"ema": 0.9},
    {"input_noise": 0.3}, {"gradient_noise": 0.1}, {"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0},
]  # fmt: skip


@pytest.mark.parametrize("asked", REGULARIZERS, ids=lambda r: "+".join(r))
def test_each_regularizer_changes_the_weights_repeatably(net, learner, feed, look, weights_of, asked):
    found = []
    for config in ({}, {"regularizers": asked}, {"regularizers": asked}):
        model = net()
        history = fit(learner(model, config), feed, steps=30, seed=0, evaluate=look)
        found.append(weights_of(model))
        assert history.points[-1].metrics["val"]["loss"] < 0.9
    assert found[1] == found[2] != found[0]


def test_nothing_stays_attached_to_the_model(net, learner, feed):
    model = net()
    fit(learner(model, {"regularizers": {"activation_l1": 0.1}}), feed, steps=3, seed=0, sample_every=1)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert not torch.overrides._get_current_function_mode_stack()


def test_plain_has_no_regularizer_at_all(net, learner, feed, weights_of):
    first, second = net(), net()
    adamw = {"_target_": "torch.optim.AdamW", "lr": 1e-2}
    fit(learner(first, {"optimizer": {**adamw, "weight_decay": 0.0}}), feed, steps=5, seed=0)
    config = {"optimizer": {**adamw, "weight_decay": 0.5}, "regularizers": {"dropout": 0.5, "mixup": 1.0}}
    fit(learner(second, config, plain=True), feed, steps=5, seed=0)
    assert weights_of(first) == weights_of(second)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_and_keeps_float32_weights(net, learner, feed, look, precision):
    model = net()
    history = fit(learner(model, {"train": {"precision": precision}}), feed, steps=40, seed=0, evaluate=look)
    assert history.points[-1].metrics["val"]["loss"] < 0.3
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_channels_last_is_for_pictures_in_convnets(net, learner, feed, look):
    model = net()
    made = learner(model, {"train": {"channels_last": "auto"}}, input_dims=4)
    assert made.channels_last
    assert fit(made, feed, steps=40, seed=0, evaluate=look).points[-1].metrics["val"]["loss"] < 0.3
    assert not learner(net(), {"train": {"channels_last": "auto"}}, input_dims=3).channels_last
    assert not learner(nn.Linear(3, 3), {"train": {"channels_last": "auto"}}, input_dims=4).channels_last


@pytest.mark.parametrize(("channels", "stride", "expected"), [(4, 2, False), (16, 2, True), (4, 1, True)])
def test_narrow_one_by_one_convolutions_with_a_stride_keep_the_usual_layout(learner, channels, stride, expected):
    model = nn.Sequential(nn.Conv2d(channels, 8, 1, stride), nn.Flatten(), nn.LazyLinear(2))
    model(torch.zeros(1, channels, 8, 8))
    assert learner(model, {"train": {"channels_last": "auto"}}, input_dims=4).channels_last is expected


def test_lbfgs_on_the_full_batch(net, learner, pictures, look):
    model = net(dropout=0.2)
    config = {"optimizer": {"_target_": "torch.optim.LBFGS", "lr": 1.0, "line_search_fn": "strong_wolfe"}}
    feed = feed_of(pictures, batch_size=500, seed=0, shuffle=True)
    history = fit(learner(model, config), feed, steps=10, seed=0, evaluate=look)
    assert history.losses[-1] < 0.05
    assert history.steps == 10


def test_a_users_own_step(net, learner, feed, look):
    seen = []

    def step(model, batch, loss):
        seen.append(len(batch.index))
        return 2 * loss(model(batch.inputs), batch.targets)

    made = learner(net())
    made.step = step
    history = fit(made, feed, steps=40, seed=0, evaluate=look)
    assert history.points[-1].metrics["val"]["loss"] < 0.3
    assert seen[:7] == [8] * 6 + [2]


def test_early_stopping_keeps_the_best_weights(net, learner, feed, weights_of):
    told, weights = iter([1.0, 0.5, 0.6, 0.7, 0.8, 0.1]), []

    def scripted(model):
        weights.append(weights_of(model))
        return {"val": {"loss": next(told)}}

    model = net()
    history = fit(
        learner(model),
        feed,
        steps=600,
        seed=0,
        evaluate=scripted,
        evaluate_every=5,
        early_stopping=EarlyStopping(patience=3),
    )
    assert (history.stopped, history.steps, history.best_step) == ("early-stopping", 25, 10)
    assert weights_of(model) == weights[1]


def test_stop_when_ends_the_run_with_its_reason(net, learner, feed, look):
    def late(point):
        return "target-reached" if point.step >= 14 else None

    history = fit(learner(net()), feed, steps=600, seed=0, evaluate=look, stop_when=late)
    assert (history.stopped, history.steps) == ("target-reached", 14)


def test_a_plateau_schedule_hears_the_validation_loss(net, learner, feed):
    config = {"schedule": {"_target_": "recipe.training.schedules.HalveOnPlateau", "patience": 1}}
    history = fit(
        learner(net(), config), feed, steps=8, seed=0, evaluate_every=2, evaluate=lambda model: {"val": {"loss": 1.0}}
    )
    assert history.rates == (0.01,) * 4 + (0.005,) * 2 + (0.0025,) * 2


def test_the_average_is_what_is_evaluated_and_kept(net, learner, feed, weights_of):
    seen = []

    def scripted(model):
        seen.append(weights_of(model))
        return {"val": {"loss": 1.0}}

    model = net()
    fit(learner(model, {"regularizers": {"ema": 0.5}}), feed, steps=10, seed=0, evaluate=scripted)
    assert weights_of(model) == seen[-1]


class Recorder:
    def __init__(self):
        self.said = []

    def after_backward(self, step, learner):
        self.said.append(
            ("backward", step, learner.model[5].weight.detach().clone(), learner.model[5].weight.grad is not None)
        )

    def after_step(self, step, learner):
        self.said.append(
            ("step", step, learner.model[5].weight.detach().clone(), learner.model[5].weight.grad is not None)
        )


def test_watchers_hear_both_moments(net, learner, feed):
    watcher = Recorder()
    fit(learner(net()), feed, steps=2, seed=0, watchers=[watcher])
    assert [(what, step, grad) for what, step, _, grad in watcher.said] == [
        ("backward", 0, True),
        ("step", 0, True),
        ("backward", 1, True),
        ("step", 1, True),
    ]
    assert not torch.equal(watcher.said[0][2], watcher.said[1][2])
    assert torch.equal(watcher.said[1][2], watcher.said[2][2])


class Bar:
    def __init__(self):
        self.amount, self.notes, self.over, self.draws = 0.0, [], False, 0

    def bar(self, label, total):
        self.label, self.total = label, total
        return self

    def say(self, line):
        self.notes.append(line)

    def advance(self, amount=1, note=""):
        self.amount += amount
        self.draws += 1
        self.note = note

    def done(self):
        self.over = True


def test_progress_reaches_its_end_without_a_drawing_each_step(net, learner, feed):
    progress = Bar()
    history = fit(learner(net()), feed, steps=100, seed=0, progress=progress)
    assert (progress.label, progress.total, progress.amount, progress.over) == ("train", 100, 100, True)
    assert progress.draws < 50
    assert progress.note == f"loss {history.losses[-1]:.3g}"


class BadAt(nn.Module):
    """Gives not-a-number for one item."""

    def __init__(self, marked: float):
        super().__init__()
        self.marked = marked

    def forward(self, x):
        return torch.where((x == self.marked).flatten(1).any(1)[:, None, None, None], math.nan, x)


@pytest.mark.parametrize("step", range(20))
def test_a_loss_that_is_no_number_ends_the_run_at_its_step(net, learner, pictures, feed, step):
    pictures.inputs[feed.indices_at(step)[0]] += 0
    item = int(feed.indices_at(step)[0])
    first = next(k for k in range(20) if item in feed.indices_at(k).tolist())
    model = nn.Sequential(*net()[:2], BadAt(-1.0), *net()[2:])
    pictures.inputs[item, 0, 0, 0] = 123.456
    bad = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    model[0] = nn.Identity()
    model[1] = nn.Sequential(BadAt(pictures.inputs[item, 0, 0, 0].item()), net()[0], nn.BatchNorm2d(4))
    history = fit(learner(model), bad, steps=40, seed=0, evaluate=lambda m: {"val": {"loss": 0.0}})
    shown = ", ".join(map(str, bad.indices_at(first).tolist()))
    assert history.stopped.startswith(f"diverged: loss nan at step {first} (batch indices {shown}")
    assert "first bad layer 1.0" in history.stopped
    assert history.steps == first
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_weights_that_exploded_are_named(net, learner, feed):
    class Spoil:
        def after_backward(self, step, learner):
            pass

        def after_step(self, step, learner):
            if step == 3:
                with torch.no_grad():
                    learner.model[5].weight[0] = math.inf

    history = fit(learner(net()), feed, steps=40, seed=0, watchers=[Spoil()])
    assert "at step 4 " in history.stopped
    assert "first bad layer 5: the step before made its weights not finite" in history.stopped


def test_bad_inputs_are_named(net, learner, pictures, feed):
    pictures.inputs[int(feed.indices_at(2)[3])] = math.inf
    bad = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    history = fit(learner(net()), bad, steps=40, seed=0)
    assert "at step 2 " in history.stopped
    assert f"their inputs are not finite: items {int(feed.indices_at(2)[3])}" in history.stopped


def test_a_bad_loss_behind_finite_outputs_is_named(net, learner, feed):
    history = fit(learner(net(), loss=lambda outputs, targets: outputs.sum() * math.nan), feed, steps=5, seed=0)
    assert "the loss itself is bad" in history.stopped


def test_the_best_weights_of_a_diverged_run_are_finite(net, learner, feed, weights_of):
    class Spoil:
        def after_backward(self, step, learner):
            pass

        def after_step(self, step, learner):
            if step == 11:
                with torch.no_grad():
                    learner.model[5].weight.fill_(math.nan)

    model = net()
    history = fit(
        learner(model), feed, steps=40, seed=0, watchers=[Spoil()], evaluate_every=5,
        evaluate=lambda m: {"val": {"loss": 1.0}}, early_stopping=EarlyStopping(patience=9),
    )  # fmt: skip
    assert history.stopped.startswith("diverged")
    assert history.best_step == 5
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_waiting_for_no_loss_gives_the_same_run(net, learner, feed, look, weights_of, monkeypatch):
    """As on a GPU: losses are fetched late, and fused kernels freeze the weights at the first bad one."""
    found = []
    for waits in (False, True):
        monkeypatch.setattr("recipe.training.step._fetching_waits", lambda device, waits=waits: waits)
        model = net(dropout=0.2)
        made = learner(model)
        history = fit(made, feed, steps=130, seed=0, evaluate=look)
        found.append((weights_of(model), history))
        assert not hasattr(made.optimizer, "found_inf")
    assert found[0] == found[1]


@pytest.mark.parametrize("step", [0, 1, 99, 100, 104])
def test_a_bad_loss_that_is_fetched_late_is_still_placed_exactly(
    net, learner, feed, look, monkeypatch, weights_of, step
):
    class Spoil(torch.nn.Module):
        calls = 0

        def forward(self, x):
            self.calls += self.training
            return x * math.nan if self.calls > step else x

    monkeypatch.setattr("recipe.training.step._fetching_waits", lambda device: True)
    model, whole = nn.Sequential(Spoil(), *net()), nn.Sequential(nn.Identity(), *net())
    decay = {"regularizers": {"weight_decay": 0.1}}
    history = fit(learner(model, decay), feed, steps=105, seed=0, evaluate=look)
    shown = ", ".join(map(str, feed.indices_at(step).tolist()))
    assert history.stopped == f"diverged: loss nan at step {step} (batch indices {shown}; first bad layer 0)"
    assert (history.steps, len(history.rates)) == (step, step)
    assert all(point.step <= step for point in history.points)
    assert all(sample.step < step for sample in history.samples)
    fit(learner(whole, decay), feed, steps=step, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), whole.parameters(), strict=True))


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (nn.CrossEntropyLoss(reduction="none"), r"has shape \(8,\)"),
        (lambda outputs, targets: torch.tensor(1.0), "does not depend on the weights"),
    ],
)
def test_what_is_no_loss_is_refused(net, learner, feed, loss, told):
    with pytest.raises(Refusal, match=told):
        fit(learner(net(), loss=loss), feed, steps=1, seed=0)


def test_batch_norm_on_single_examples_is_refused(learner, pictures):
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3), nn.BatchNorm1d(3))
    with pytest.raises(Refusal, match="batch norm cannot train on a single example"):
        fit(learner(model), feed_of(pictures, batch_size=1, seed=0, shuffle=True), steps=1, seed=0)


def test_an_unknown_precision_is_refused(net, learner):
    with pytest.raises(Refusal, match="unknown precision"):
        learner(net(), {"train": {"precision": "float8"}})


def test_augmentation_is_part_of_the_feed_and_still_learnt(net, learner, pictures, look):
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True, transforms=[Shift(1), Noise(0.1)])
    assert fit(learner(net()), feed, steps=60, seed=0, evaluate=look).points[-1].metrics["val"]["loss"] < 0.3


def test_training_does_not_wait_for_the_compiler(tmp_path):
    """The first optimizer and the first step would import torch._dynamo, which takes as long as torch."""
    program = """
import sys, torch
from torch import nn
from recipe.training.checkpoint import Checkpoint
from recipe.training.feed import feed_of
from recipe.training.learner import assemble
from recipe.training.loop import fit
class Rows:
    inputs, targets = torch.randn(8, 2), torch.zeros(8, dtype=torch.int64)
    __len__ = lambda self: 8
def build(node, **more):
    return torch.optim.Adam(lr=node["lr"], **more)
config = {"optimizer": {"_target_": "torch.optim.Adam", "lr": 0.1}, "train": {"clip_norm": 1.0}}
learner = assemble(nn.Linear(2, 2), nn.CrossEntropyLoss(), config, build=build, device=torch.device("cpu"))
feed = feed_of(Rows(), batch_size=4, seed=0, shuffle=True)
from pathlib import Path
assert fit(learner, feed, steps=3, seed=0, checkpoint=Checkpoint(Path(sys.argv[1]), every=1)).steps == 3
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 0

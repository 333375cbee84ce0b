import random

import pytest
import torch
from torch import nn

import recipe.record.files
import recipe.training.checkpoint as checkpoint_module
from recipe.record.refusal import Refusal
from recipe.training.checkpoint import Checkpoint, load_weights, save_weights

EXTRA = {"best": {"a": torch.arange(3)}, "early_stopping": None, "points": [1.5, float("inf")]}


@pytest.fixture
def made(net, learner):
    """A learner with optimizer state, whose weights say how many steps it took."""

    def make(steps=1, seed=0, layout=False):
        found = learner(net(seed), {"train": {"channels_last": layout}})
        for _ in range(steps):
            found.loss(found.model(torch.ones(4, 1, 6, 6)), torch.tensor([0, 1, 2, 0])).backward()
            found.optimizer.step()
        return found

    return make


def test_what_was_saved_comes_back(made, weights_of, tmp_path):
    saved, fresh = made(3), made(1, seed=5)
    Checkpoint(tmp_path).save(3, saved, EXTRA)
    found = Checkpoint(tmp_path).load(fresh)
    assert found.step == 3
    assert found.extra["points"] == EXTRA["points"]
    assert torch.equal(found.extra["best"]["a"], torch.arange(3))
    assert weights_of(fresh.model) == weights_of(saved.model)
    moments = [made.optimizer.state_dict()["state"][0]["exp_avg"] for made in (saved, fresh)]
    assert torch.equal(*moments)


def test_no_checkpoint_is_none(made, tmp_path):
    assert Checkpoint(tmp_path / "nothing").load(made()) is None


def test_optimizer_state_keeps_its_layout(made, tmp_path):
    saved, fresh = made(2, layout=True), made(1, seed=5, layout=True)
    saved.optimizer.state[saved.model[0].weight]["exp_avg"] = torch.randn(4, 3, 3, 3).contiguous(
        memory_format=torch.channels_last
    )
    stride = saved.optimizer.state[saved.model[0].weight]["exp_avg"].stride()
    Checkpoint(tmp_path).save(2, saved, {})
    Checkpoint(tmp_path).load(fresh)
    assert fresh.optimizer.state[fresh.model[0].weight]["exp_avg"].stride() == stride


def test_two_are_kept(made, tmp_path):
    checkpoint = Checkpoint(tmp_path)
    for step in (10, 20, 30, 40):
        checkpoint.save(step, made(), {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["newest.json", "step-00000030", "step-00000040"]


def test_flipped_bits_are_noticed_and_the_one_before_is_used(made, tmp_path):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save(1, made(1), {})
    checkpoint.save(2, made(2), {})
    files = sorted((tmp_path / "step-00000002").iterdir())
    random.seed(0)
    for count in range(60):
        file = files[count % len(files)]
        sound = file.read_bytes()
        place = random.randrange(8 * len(sound))
        damaged = bytearray(sound)
        damaged[place // 8] ^= 1 << place % 8
        file.write_bytes(damaged)
        reader = Checkpoint(tmp_path)
        found = reader.load(made())
        assert found.step == 1
        assert reader.notes == ["checkpoint step-00000002 is damaged and was passed over"]
        file.write_bytes(sound)
    assert Checkpoint(tmp_path).load(made()).step == 2


@pytest.mark.parametrize("file", ["state.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("what", ["cut", "empty", "gone"])
def test_torn_files_are_noticed(made, tmp_path, file, what):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save(1, made(1), {})
    checkpoint.save(2, made(2), {})
    path = tmp_path / "step-00000002" / file
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] if what == "cut" else b"")
    assert Checkpoint(tmp_path).load(made()).step == 1


class PowerCut(BaseException):
    pass


def test_power_cut_at_every_file_operation(made, weights_of, tmp_path, monkeypatch):
    """Whichever operation is the last, a complete checkpoint is found, and saving goes on."""
    done = 0
    limit = 10**9

    def count(name, path):
        nonlocal done
        done += 1
        if done > limit:
            raise PowerCut

    monkeypatch.setattr(recipe.record.files, "_operation", count)
    learners = {step: made(step) for step in (1, 2, 3)}
    expected = {step: weights_of(found.model) for step, found in learners.items()}

    def save_all(folder):
        for step in (1, 2, 3):
            Checkpoint(folder).save(step, learners[step], {})

    save_all(tmp_path / "whole")
    operations = done
    assert operations > 30
    for limit in range(operations):
        folder = tmp_path / str(limit)
        done = 0
        with pytest.raises(PowerCut):
            save_all(folder)
        done = -(10**9)
        fresh = made(1, seed=9)
        found = Checkpoint(folder).load(fresh)
        assert found is None or weights_of(fresh.model) == expected[found.step]
        assert found is not None or limit < operations / 2
        Checkpoint(folder).save(4, learners[3], {})
        assert Checkpoint(folder).load(fresh).step == 4
        assert len(list(folder.glob("step-*"))) <= 2


def test_a_checkpoint_of_another_model_is_refused(made, learner, tmp_path):
    Checkpoint(tmp_path).save(1, made(), {})
    with pytest.raises(Refusal, match="does not fit the model"):
        Checkpoint(tmp_path).load(learner(nn.Linear(3, 2)))


def test_other_threads_are_told_as_not_exact(made, tmp_path):
    Checkpoint(tmp_path).save(1, made(), {})
    torch.set_num_threads(2)
    checkpoint = Checkpoint(tmp_path)
    assert checkpoint.load(made()).step == 1
    assert checkpoint.notes == ["not exact: resumed with threads 2, begun with 1"]


@pytest.mark.parametrize(
    ("key", "before"),
    [("torch", "2.8.0"), ("threads", "4"), ("device", "cuda"), ("processor", "arm64"), ("torch", None)],
)
def test_whatever_else_has_changed_is_told_as_not_exact(made, tmp_path, monkeypatch, key, before):
    here = checkpoint_module._environment
    there = {k: v for k, v in {**here(made()), key: before}.items() if v is not None}
    monkeypatch.setattr(checkpoint_module, "_environment", lambda _: there)
    Checkpoint(tmp_path).save(1, made(), {})
    monkeypatch.setattr(checkpoint_module, "_environment", here)
    checkpoint = Checkpoint(tmp_path)
    assert checkpoint.load(made()).step == 1
    assert checkpoint.notes == [f"not exact: resumed with {key} {here(made())[key]}, begun with {before}"]


def test_due_by_steps_or_by_time(tmp_path):
    assert [step for step in range(1, 10) if Checkpoint(tmp_path, every=4).due(step, 0.0)] == [4, 8]
    timed = Checkpoint(tmp_path, seconds=30)
    assert [timed.due(1, timed._last + seconds) for seconds in (0, 29, 31)] == [False, False, True]


def test_weights_alone(net, weights_of, tmp_path):
    model, fresh = net(), net(seed=3)
    save_weights(tmp_path / "weights.safetensors", model)
    load_weights(tmp_path / "weights.safetensors", fresh)
    assert weights_of(model) == weights_of(fresh)
    with pytest.raises(Refusal, match="do not fit"):
        load_weights(tmp_path / "weights.safetensors", nn.Linear(3, 2))
    (tmp_path / "weights.safetensors").write_bytes(b"nonsense")
    with pytest.raises(Refusal, match="do not fit"):
        load_weights(tmp_path / "weights.safetensors", fresh)

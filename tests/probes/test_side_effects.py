"""What regularizers do besides, measured on planted nets: to batch norms, to norms and biases, to labels."""

from __future__ import annotations

import math
from typing import Any

import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.probes.side_effects import measure_batch_noise, measure_decay_beside, measure_variance_shift
from recipe.probes.tried_augmentations import measure_tried
from recipe.record.evidence import CannotMeasure
from recipe.testing import run_check

NETS = """
from torch import nn

def before(p):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 32),
                         nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))

def behind(p):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(p),
                         nn.Linear(64, 10))

class HalfTurn:
    batched = True

    def __call__(self, inputs, keys):
        chosen = (keys % 2 == 0).view(-1, 1, 1, 1)
        return inputs.flip(2, 3).where(chosen, inputs)
"""


@pytest.fixture(scope="module", autouse=True)
def nets(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("nets")
    (folder / "drops.py").write_text(NETS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


def net(name: str, p: float, *words: str) -> Ingredients:
    own = ["model=custom", f"model._target_=drops.{name}", f"+model.p={p}", "trust=[drops]"]
    return Ingredients(compose([*own, *words]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dropout_before_a_batch_norm_shifts_its_variance(seed: int) -> None:
    shift = measure_variance_shift(net("before", 0.5), seed=seed)
    assert [one.layer for one in shift.shifts] == ["5"]
    assert shift.shifts[0].ratio > 1.2
    assert run_check("dropout-meets-batch-norm", variance_shift=shift).cause == "dropout-before-batch-norm"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dropout_behind_it_does_not(seed: int) -> None:
    shift = measure_variance_shift(net("behind", 0.5), seed=seed)
    assert shift.shifts[0].ratio == pytest.approx(1.0, abs=1e-4)
    assert run_check("dropout-meets-batch-norm", variance_shift=shift).verdict == "pass"


def test_what_the_regularizers_put_in_is_seen_too() -> None:
    whole = Ingredients(
        compose(["model=convnet", "model.norm=batch", "model.channels=8", "regularizers.dropout2d=0.3"])
    )
    shift = measure_variance_shift(whole, seed=0)
    assert shift.dropped == ("regularizers.dropout2d",)
    assert max(one.ratio for one in shift.shifts) > 1.1
    with pytest.raises(CannotMeasure, match="no dropout"):
        measure_variance_shift(net("before", 0.0), seed=0)
    with pytest.raises(CannotMeasure, match="no batch norm"):
        measure_variance_shift(Ingredients(compose(["regularizers.dropout=0.3"])), seed=0)


def test_the_optimizers_own_decay_reaches_norms_and_biases_and_ours_does_not() -> None:
    strong, weak = (
        measure_decay_beside(net("behind", 0.0, f"optimizer.weight_decay={decay}"), seed=0, rates=[3e-4] * 100)
        for decay in (0.1, 1e-4)
    )
    assert "2.weight" in strong.names
    assert strong.count == 4
    assert strong.pull == pytest.approx(1000 * weak.pull, rel=0.01)
    assert run_check("decay-spares-norms-and-biases", decay_beside=strong).cause == "decay-on-norms"
    assert run_check("decay-spares-norms-and-biases", decay_beside=weak).verdict == "pass"
    with pytest.raises(CannotMeasure):
        measure_decay_beside(net("behind", 0.0, "regularizers.weight_decay=0.1"), seed=0, rates=[3e-4])


def test_decoupled_decay_is_told_by_what_it_takes() -> None:
    words = ["optimizer=adamw", "optimizer.weight_decay=0.1", "optimizer.lr=1e-2"]
    beside = measure_decay_beside(net("behind", 0.0, *words), seed=0, rates=[1e-2] * 500)
    assert beside.pull is None
    assert beside.share == pytest.approx(1 - math.exp(-0.5), abs=1e-6)
    assert run_check("decay-spares-norms-and-biases", decay_beside=beside).verdict == "warn"


def test_a_batch_norms_noise_falls_with_the_root_of_the_batch() -> None:
    noise = measure_batch_noise(net("behind", 0.0), seed=0, sizes=[4, 64]).sizes
    assert noise["4"][1] / noise["64"][1] == pytest.approx(4, rel=0.35)
    assert noise["4"][1] == pytest.approx(0.5, rel=0.3)
    small, usual = (measure_batch_noise(net("behind", 0.0), seed=0, sizes=[size]) for size in (4, 64))
    assert run_check("batch-norm-noise", batch_noise=small).cause == "batches-too-small-for-their-norm"
    assert run_check("batch-norm-noise", batch_noise=usual).verdict == "pass"


def test_an_augmentation_that_turns_labels_round_is_told_apart() -> None:
    turn = {"_target_": "drops.HalfTurn"}
    shift = {"_target_": "recipe.training.augment.Shift", "pixels": 1}
    tried = [("half turns", {"regularizers.augment": [turn]}, True), ("shift", {"regularizers.augment": [shift]}, True)]
    seen = measure_tried(Ingredients(compose(["trust=[drops]"])), tried, 0)
    found = run_check("tried-augmentation-keeps-labels", tried_augmentations=seen)
    assert found.cause == "augmentation-changes-labels"
    assert list(found.measured) == ["half turns"]

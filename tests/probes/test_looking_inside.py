"""Signals, other ways to the outputs and pairs of functions, on models directly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from catalogue import DIGITS, HEALTHY, model

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.machine import one_thread
from recipe.probes.equivalences import measure_equivalences
from recipe.probes.function_pairs import measure_pairs
from recipe.probes.layer_signals import measure_signals
from recipe.probes.probe import plain_learner, sample
from recipe.probes.reference import EARLY, Reference
from recipe.probes.speed_ups import measure_speed_ups
from recipe.record.evidence import CannotMeasure
from recipe.record.refusal import Refusal


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def ingredients(*overrides: str) -> Ingredients:
    return Ingredients(compose(["trust=[zoo]", *overrides]))


def signals(*overrides: str):
    reference = Reference(ingredients(*overrides), 0, steps=60, items=300, val_items=60)
    return {layer.name: layer for layer in measure_signals(reference, early=EARLY, dead_items=300).layers}


def test_modules_and_functions_are_heard_in_any_model():
    found = signals(*model("PlainList"))
    assert {name for name in found if "relu" in name.lower()} or "head" in found
    vit = signals(*HEALTHY["H20 tiny ViT"])
    assert vit["encoder.layers.0.self_attn"].units == 64  # features last, behind a convolution too
    assert vit["encoder.layers.0.linear1.gelu"].kind == "GELU"
    assert signals(*HEALTHY["H21 GRU, clipped"])["gru"].units == 64


def test_dead_twin_and_fading_units_are_counted():
    assert signals(*model("DeadUnits"))["body.2"].dead_early == 64
    assert signals(*model("ZeroWeights", "+model.value=0.1"))["body.1"].early.twins == 64
    deep = list(signals(*model("DeepSigmoid")).values())
    assert deep[0].early.gradient < 1e-5 * deep[-1].early.gradient
    assert deep[-2].early.varies < 1e-4 * deep[-2].early.rms


def test_the_early_net_is_the_same_whether_the_training_went_on_or_not():
    made = ingredients(*model("Host"))
    alone, whole = (Reference(made, 0, steps=60, items=300, val_items=60) for _ in range(2))
    assert whole.history.steps == 60
    pairs = zip(alone.early.parameters(), whole.early.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert "_ran" not in alone.__dict__


def ways(*overrides: str):
    made = ingredients(*overrides)
    learner = plain_learner(made, 0)
    found = measure_equivalences(made, learner.model, learner, sample(made, "train", 32))
    return {way.name: way for way in found.ways}


def test_a_healthy_net_gives_the_same_in_every_way():
    found = ways(*model("SmallConv", "train.precision=bf16"))
    assert list(found) == ["again", "one by one", "in threes", "channels last", "bf16"]
    assert max(found[name].difference for name in ("one by one", "channels last")) < 1e-5
    assert 1e-5 < found["bf16"].difference < 0.1
    assert found["bf16"].gradient > 0.99


def test_each_switch_is_timed_beside_a_step_without_it():
    found = measure_speed_ups(
        ingredients(*model("SmallConv", "train.precision=bf16", "train.channels_last=true")), seed=0
    )
    assert [(one.setting, one.plain) for one in found.switches] == [
        ("train.precision=bf16", "train.precision=float32"),
        ("train.channels_last=true", "train.channels_last=false"),
    ]
    assert all(one.step > 0 and one.without > 0 for one in found.switches)
    with pytest.raises(CannotMeasure, match="eager float32"):
        measure_speed_ups(ingredients(*model("SmallConv")), seed=0)


def test_a_lost_axis_and_a_mixed_batch_are_seen():
    assert "(10,)" in ways(*model("Squeezes"))["one by one"].error
    assert ways(*model("ViewMixesBatch"))["one by one"].difference > 0.1


def test_what_a_users_model_raises_goes_into_evidence_without_its_passwords() -> None:
    class Asks(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) == 1:
                raise ConnectionError("https://me:hunter2@host/features does not answer")
            return self.layer(x.flatten(1)[:, :1])

    made = ingredients(*model("Host"))
    batch = sample(made, "train", 32)
    found = measure_equivalences(made, Asks(), plain_learner(made, 0), batch)
    errors = {way.name: way.error for way in found.ways}
    assert errors["one by one"] == "ConnectionError: https://me:***@host/features does not answer"


def pair(fast: str, slow: str, *more: str):
    node = f"{{fast: {{_target_: zoo.pairs.{fast}}}, slow: {{_target_: zoo.pairs.{slow}}}}}"
    made = ingredients(*model("Host"), f"baseline.equivalence=[{node}]", *more)
    return measure_pairs(made, plain_learner(made, 0).model, sample(made, "train", 32)).pairs[0]


def test_functions_of_inputs_and_of_outputs_are_called_as_their_arguments_say():
    same = pair("row_sums", "row_sums_in_a_loop")
    assert (same.on, same.sizes, same.error) == ("inputs", (1, 3, 16), "")
    assert same.difference < 1e-6
    loss = pair("hinge", "hinge_in_a_loop")
    assert (loss.on, loss.error) == ("outputs", "")
    assert max(loss.difference, loss.gradient) < 1e-5


def test_a_wrong_axis_a_wrong_gradient_and_an_error_are_told():
    assert pair("column_sums", "row_sums_in_a_loop").error
    assert pair("hinge_over_batch", "hinge_in_a_loop").difference > 1e-2
    detached = pair("hinge_detached", "hinge_in_a_loop")
    assert detached.difference < 1e-5 < detached.gradient


def test_without_pairs_the_reason_is_told_and_a_wrong_one_is_refused():
    made = ingredients(*DIGITS)
    with pytest.raises(CannotMeasure, match=r"baseline\.equivalence"):
        measure_pairs(made, plain_learner(made, 0).model, sample(made, "train", 8))
    with pytest.raises(Refusal, match="a list of pairs"):
        compose([*DIGITS, "baseline.equivalence=[{fast: {_target_: torch.nn.Identity}}]"])
    both = "{fast: {_target_: mine.f}, slow: {_target_: mine.g}}"
    with pytest.raises(Refusal, match="not among the code"):
        compose(["baseline.equivalence=[" + both + "]"])

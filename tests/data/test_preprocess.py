from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from recipe.data.data import Split
from recipe.data.preprocess import OPTIONS, Preprocess, fit, propose
from recipe.record.refusal import Refusal

GENERATOR = torch.Generator().manual_seed(0)
PICTURES = torch.randint(0, 256, (200, 3, 4, 4), generator=GENERATOR).to(torch.uint8)
ROWS = torch.stack(
    [torch.randn(300, generator=GENERATOR) * 50 + 1000, (torch.rand(300, generator=GENERATOR) > 0.5).float()], 1
)


def split_of(inputs):
    n = len(inputs["a"] if isinstance(inputs, dict) else inputs)
    return Split(name="train", inputs=inputs, targets=torch.zeros(n), origin="train", rows=torch.arange(n))


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("inputs", [PICTURES, ROWS], ids=["pictures", "rows"])
def test_every_preprocessing_gives_finite_float32_of_the_same_shape_and_survives_json(name, inputs):
    made = fit(name, split_of(inputs), "image")
    out = made(inputs[:7])
    assert out.dtype == torch.float32
    assert out.shape == inputs[:7].shape
    assert bool(out.isfinite().all())
    assert torch.equal(Preprocess.from_json(made.to_json())(inputs[:7]), out)
    assert torch.equal(copy.deepcopy(made).to("cpu")(inputs[:7]), out)


def test_pictures_by_channel_have_mean_0_and_deviation_1():
    shifted = PICTURES.clone()
    shifted[:, 1] = shifted[:, 1] // 4
    out = fit("per_channel", split_of(shifted), "image")(shifted)
    assert out.mean(dim=(0, 2, 3)).numpy() == pytest.approx(np.zeros(3), abs=1e-5)
    assert out.std(dim=(0, 2, 3), correction=0).numpy() == pytest.approx(np.ones(3), abs=1e-5)


def test_linear_scalings_have_the_ends_they_name():
    for name, low, high in [("unit", 0, 1), ("scale", -1, 1), ("min_max", 0, 1)]:
        out = fit(name, split_of(PICTURES), "image")(PICTURES)
        assert (float(out.min()), float(out.max())) == pytest.approx((low, high))


def test_flags_and_constants_are_left_as_they_are():
    rows = torch.cat([ROWS, torch.full((300, 1), 7.0)], dim=1)
    out = fit("standardize", split_of(rows), "table")(rows)
    assert torch.equal(out[:, 1], rows[:, 1])
    assert torch.equal(out[:, 2], torch.zeros(300))


def test_heavy_tails_are_drawn_in():
    income = torch.exp(torch.randn(500, 1, generator=GENERATOR) * 2 + 8)
    assert propose(income, "table")[0] == "log_standardize"
    out = fit("auto", split_of(income), "table")(income)
    assert float(out.abs().max()) < 5
    clipped = fit("clip_standardize", split_of(income), "table")(income)
    assert float(clipped.max()) < float(fit("standardize", split_of(income), "table")(income).max())


def test_decimal_scaling_moves_the_point():
    assert fit("decimal", split_of(torch.tensor([[120.0, -3.0], [-999.0, 0.5]])), "table").steps[0].scale == (
        1000.0,
        10.0,
    )


def test_large_numbers_of_small_deviation_do_not_cancel():
    x = (torch.randn(1000, 1, generator=GENERATOR) + 1e5).to(torch.float32)
    out = fit("standardize", split_of(x), "table")(x)
    assert float(out.std(correction=0)) == pytest.approx(1, abs=0.02)


def test_statistics_are_those_of_train_only():
    made = fit("standardize", split_of(ROWS), "table")
    assert float(made(ROWS + 1000)[:, 0].mean()) > 10


def test_codes_pass_through():
    tree = {"a": torch.randint(0, 99, (50, 6)), "b": torch.randn(50, 2) * 30}
    out = fit("standardize", split_of(tree), "array")(tree)
    assert torch.equal(out["a"], tree["a"])
    assert float(out["b"].std()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("inputs", "kind", "name"),
    [
        (PICTURES, "image", "per_channel"),
        (PICTURES / 255, "image", "none"),
        (PICTURES.float(), "image", "per_channel"),
        (ROWS, "table", "standardize"),
        (torch.randn(200, 5, generator=GENERATOR), "array", "none"),
        (torch.randint(0, 50, (99, 7)), "series", "none"),
    ],
)
def test_what_is_proposed_follows_the_numbers(inputs, kind, name):
    assert propose(inputs, kind)[0] == name


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(Refusal, match="no preprocessing 'zscore'") as caught:
        fit("zscore", split_of(ROWS), "table")
    assert "standardize" in caught.value.fix


def test_not_a_number_does_not_spoil_the_statistics():
    spoilt = ROWS.clone()
    spoilt[3, 0] = torch.nan
    assert fit("standardize", split_of(spoilt), "table").steps[0].shift[0] == pytest.approx(
        float(ROWS[:, 0].mean()), rel=1e-2
    )


def test_of_pictures_the_channels_that_are_asked_for_come_out():
    whole = fit("per_channel", split_of(PICTURES), "image")
    some = fit("per_channel", split_of(PICTURES), "image", side=2, channels=[2, 0])
    assert some(PICTURES[:5]).shape == (5, 2, 2, 2)
    means = whole(PICTURES[:5]).mean((2, 3))
    assert torch.allclose(some(PICTURES[:5]).mean((2, 3)), means[:, [2, 0]], atol=1e-5)
    assert torch.equal(Preprocess.from_json(some.to_json())(PICTURES[:5]), some(PICTURES[:5]))
    assert torch.equal(some.unclipped(PICTURES[:5]), some(PICTURES[:5]))


@pytest.mark.parametrize(
    ("inputs", "kind", "told"), [(PICTURES, "image", "no channel 3"), (ROWS, "table", "only pictures")]
)
def test_channels_that_are_not_there_are_refused(inputs, kind, told):
    with pytest.raises(Refusal, match=told):
        fit("auto", split_of(inputs), kind, channels=[0, 3])

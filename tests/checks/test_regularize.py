from __future__ import annotations

import math
from typing import Any

import pytest

from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.regularize import (
    Combination,
    Forecast,
    Idea,
    KeptWeights,
    LearningCurve,
    Reference,
    Regularizers,
)
from recipe.record.setup import Part, Setup
from recipe.record.side_effects import (
    AugmentedItems,
    BatchNoise,
    DecayBeside,
    Shift,
    TriedAugmentations,
    VarianceShift,
)
from recipe.record.transforms import Augmented, LostClass
from recipe.testing import run_check


def flat(value: float, width: float = 0.01) -> Interval:
    return Interval(value, value - width, value + width, 4)


def gain(mean: float, width: float = 0.004) -> Gain:
    return Gain(metric="accuracy", split="val", difference=flat(mean, width), method="seeds")


def reference(train: float, val: float) -> Reference:
    return Reference(
        metric="accuracy", higher_is_better=True, train=flat(train), val=flat(val),
        train_loss=flat(0.1), val_loss=flat(0.2),
        train_error=1 - train, gap=flat(train - val), rise=flat(0.1), best_at=0.5, seeds=(0, 1, 2, 3), steps=100,
        examples=1000, val_examples=200,
    )  # fmt: skip


def combination(train: float, val: float, fresh: Gain | None = None, **change: Any) -> Combination:
    return Combination(
        added=(),
        change=change,
        val=flat(val),
        train=flat(train),
        gap=flat(train - val),
        val_loss=flat(0.2),
        fresh=fresh,
    )


def curve(now: float, double: float) -> LearningCurve:
    forecasts = (Forecast(times=2.0, error=flat(double)),)
    return LearningCurve(metric="accuracy", subsets=(), a=1.0, b=0.5, c=0.0, now=flat(now), forecasts=forecasts)


def idea(name: str, gained: Gain, removes: bool = False) -> Idea:
    return Idea(
        name=name, change={name: None}, hypothesis="", train=flat(1.0), val=flat(0.9), cost=flat(0.0), gain=gained,
        loss_gain=None, seconds=1.0, seeds=4, removes=removes, verdict="kept", why="",
    )  # fmt: skip


def setup(*parts: Part, **fields: Any) -> Setup:
    given: dict[str, Any] = {
        "model": "mlp", "optimizer": "Adam", "options": {}, "schedule": "constant", "batch_size": 64, "clip_norm": None,
        "parameters": 1000,
    }  # fmt: skip
    return Setup(parts=parts, **{**given, **fields})


def kept(mode: str, value: float, **fields: Any) -> KeptWeights:
    given: dict[str, Any] = {
        "monitor": "val.loss", "lower_is_better": True, "best": 0.2, "worst": 2.3, "last": 0.3, "best_step": 40,
        "kept_step": 40, "points": 10,
    }  # fmt: skip
    return KeptWeights(mode=mode, kept=value, **{**given, **fields})


def test_a_net_that_overfits_is_what_is_wanted() -> None:
    found = run_check("reference-overfits", reference=reference(1.0, 0.9))
    assert (found.verdict, "overfits by 0.1" in found.message) == ("pass", True)


def test_no_gap_is_a_result_and_no_failure() -> None:
    found = run_check("reference-overfits", reference=reference(0.95, 0.95))
    assert (found.verdict, "little to regularize" in found.message) == ("pass", True)


def test_validation_ahead_of_training_is_told() -> None:
    assert run_check("reference-overfits", reference=reference(0.8, 0.9)).cause == "validation-is-easier"


def test_a_net_that_always_diverges_fails() -> None:
    assert run_check("reference-overfits", reference=reference(1.0, math.nan)).cause == "diverged"


def test_a_small_gap_passes() -> None:
    assert run_check("generalization-gap", combination=combination(1.0, 0.96)).verdict == "pass"


@pytest.mark.parametrize(("double", "cause"), [(0.2, "too-little-data"), (0.295, "validation-differs"), (None, "gap")])
def test_a_wide_gap_is_told_with_what_more_data_would_bring(double: float | None, cause: str) -> None:
    law = {} if double is None else {"learning_curve": curve(0.3, double)}
    found = run_check("generalization-gap", combination=combination(1.0, 0.7), **law)
    assert (found.verdict, found.cause) == ("warn", cause)


def test_a_gain_on_fresh_seeds_passes() -> None:
    found = run_check("regularizer-gain-is-real", combination=combination(1.0, 0.9, gain(0.01), dropout=0.5))
    assert found.verdict == "pass"


def test_a_gain_that_is_gone_on_fresh_seeds_is_told() -> None:
    found = run_check("regularizer-gain-is-real", combination=combination(1.0, 0.9, gain(-0.01), dropout=0.5))
    assert found.cause == "gain-not-reproduced"


def test_without_winners_or_fresh_seeds_there_is_nothing_to_judge() -> None:
    for one in (combination(1.0, 0.9), combination(1.0, 0.9, dropout=0.5)):
        assert run_check("regularizer-gain-is-real", combination=one).verdict == "skipped"


def test_what_the_user_switched_on_must_not_harm() -> None:
    harmful = Regularizers(ideas=(idea("without augment", gain(0.03), removes=True), idea("dropout", gain(0.05))))
    found = run_check("configured-regularizers-help", regularizers=harmful)
    assert (found.verdict, found.where) == ("warn", "without augment")


def test_what_helps_stays_and_nothing_configured_is_skipped() -> None:
    helpful = Regularizers(ideas=(idea("without augment", gain(-0.03), removes=True),))
    assert run_check("configured-regularizers-help", regularizers=helpful).verdict == "pass"
    alone = Regularizers(ideas=(idea("dropout", gain(0.05)),))
    assert run_check("configured-regularizers-help", regularizers=alone).verdict == "skipped"


def test_the_worst_weights_kept_fails() -> None:
    found = run_check("best-weights-kept", kept_weights=kept("max", 2.3, kept_step=10))
    assert (found.verdict, found.cause, found.advice) == ("fail", "wrong-direction", "early_stopping.mode=min")


def test_the_best_weights_kept_passes() -> None:
    assert run_check("best-weights-kept", kept_weights=kept("min", 0.2)).verdict == "pass"
    upward = kept("max", 0.9, monitor="val.accuracy", lower_is_better=False, best=0.9, worst=0.1)
    assert run_check("best-weights-kept", kept_weights=upward).verdict == "pass"


def test_the_last_weights_instead_of_the_best_is_told() -> None:
    assert run_check("best-weights-kept", kept_weights=kept("min", 1.5)).cause == "best-not-kept"


@pytest.mark.parametrize(("ratio", "verdict"), [(1.0, "pass"), (1.05, "pass"), (1.3, "warn"), (0.8, "warn")])
def test_a_variance_that_dropout_shifts_is_told(ratio: float, verdict: str) -> None:
    shifts = (Shift(layer="first", ratio=1.0), Shift(layer="second", ratio=ratio))
    found = run_check(
        "dropout-meets-batch-norm",
        variance_shift=VarianceShift(steps=50, dropped=("regularizers.dropout",), shifts=shifts),
    )
    assert found.verdict == verdict
    if verdict == "warn":
        assert (found.where, found.cause) == ("regularizers.dropout", "dropout-before-batch-norm")
        assert "before second" in found.message


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [({"pull": 0.001}, "pass"), ({"pull": 0.4}, "warn"), ({"share": 0.003}, "pass"), ({"share": 0.3}, "warn")],
)
def test_decay_on_norms_is_told_where_it_pulls(fields: dict[str, float], verdict: str) -> None:
    beside = DecayBeside(
        names=("norm.weight",), count=4, decay=0.01, pull=fields.get("pull"), share=fields.get("share", 0.0)
    )
    assert run_check("decay-spares-norms-and-biases", decay_beside=beside).verdict == verdict


@pytest.mark.parametrize(("lost", "used", "verdict"), [(0.3, True, "warn"), (0.3, False, "pass"), (0.0, True, "pass")])
def test_augmentation_that_changes_labels_counts_where_it_is_used(lost: float, used: bool, verdict: str) -> None:
    astray = LostClass(label="6", like="9", share=Interval(lost, lost * 0.8, lost * 1.2, 90), plain=0.0, items=90)
    seen = Augmented(probe="p", items=90, chance=0.1, plain=flat(0.9), augmented=flat(0.8), lost=(astray,))
    tried = TriedAugmentations(augmentations=(AugmentedItems(name="half turn", used=used, found=seen),))
    found = run_check("tried-augmentation-keeps-labels", tried_augmentations=tried)
    assert found.verdict == verdict
    assert ("half turn" in found.message) == (lost > 0)


@pytest.mark.parametrize(("mean", "verdict"), [(0.05, "pass"), (0.6, "warn")])
def test_batches_too_small_for_their_norm(mean: float, verdict: str) -> None:
    noise = BatchNoise(sizes={"4": ("norm", mean, 0.2), "2": ("norm", 2 * mean, 0.4)})
    assert run_check("batch-norm-noise", batch_noise=noise).verdict == verdict


@pytest.mark.parametrize(("p", "verdict"), [(0.25, "pass"), (0.5, "pass"), (0.8, "warn")])
def test_dropout_is_judged_by_its_share(p: float, verdict: str) -> None:
    assert run_check("dropout-is-moderate", setup=setup(Part(name="drop", kind="Dropout", p=p))).verdict == verdict


@pytest.mark.parametrize(
    ("fields", "verdict"), [({"pull": 5.0}, "fail"), ({"decoupled": 0.999}, "warn"), ({"pull": 0.01}, "pass")]
)
def test_a_penalty_must_not_dominate(fields: dict[str, float], verdict: str) -> None:
    assert run_check("penalty-does-not-dominate", setup=setup(**fields)).verdict == verdict

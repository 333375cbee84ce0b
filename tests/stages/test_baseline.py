"""The baseline's story on small data: what it decides, concludes and leaves behind, and how it goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from harness import baseline_stage

from recipe.judge import catalogue
from recipe.probes import probe
from recipe.record.baseline import BaselinePlan, DumbBaselines, OneBatch, PriorBias
from recipe.record.evidence import Shelf, Unmeasured
from recipe.record.refusal import Refusal
from recipe.stages import baseline

ZOO = ["data=custom", "data.name=zoo", "model=custom", "model._target_=zoo.models.Host"]
SEVENS = [*ZOO, "data._target_=zoo.data.is_it_a_seven", "task=binary"]
DIGITS = [*ZOO, "data._target_=zoo.data.digits"]
EVIDENCE = {need.name for one in catalogue("baseline") for need in one.needs}


def test_the_prior_is_decided_where_it_pays(tmp_path):
    stage = baseline_stage(SEVENS, tmp_path, {"prior_bias"})
    baseline.tell(stage)
    (decision,) = stage.decisions
    assert (decision.key, decision.value) == ("init.prior_bias", True)
    record = stage.shelf.get("prior_bias", PriorBias)
    assert f"{sum(record.after) / 2:.4g} with it" in decision.because
    assert len(record.plain) == len(record.prior) > 10


@pytest.mark.parametrize("overrides", [DIGITS, [*SEVENS, "init.prior_bias=false"], [*SEVENS, "init.prior_bias=true"]])
def test_the_prior_is_left_alone_where_it_does_not_pay_or_is_given(overrides, tmp_path):
    stage = baseline_stage(overrides, tmp_path, {"prior_bias"})
    baseline.tell(stage)
    assert stage.decisions == []


def test_the_net_is_shown_beside_its_rivals(tmp_path):
    stage = baseline_stage(DIGITS, tmp_path, {"baselines"})
    baseline.tell(stage)
    record = stage.shelf.get("baselines", DumbBaselines)
    assert stage.metrics == {"val": {"accuracy": record.net}}
    assert [row.id for row in stage.rows] == [rival.name.replace(" ", "-") for rival in record.rivals]
    assert record.lead_over_blind.low > 0
    assert stage.next_step.command == "recipe overfit"


def test_targets_and_predictions_of_the_one_batch_are_aligned(tmp_path):
    stage = baseline_stage(DIGITS, tmp_path, {"one_batch"})
    baseline.tell(stage)
    record = stage.shelf.get("one_batch", OneBatch)
    labels = stage.ingredients.data.train.targets[list(record.indices)].tolist()
    assert record.targets == record.predictions == tuple(str(k) for k in labels)
    assert record.classes > 2


def test_an_interrupted_stage_measures_only_what_is_missing(tmp_path):
    def evidence(stage):
        return {name: (stage.shelf.folder / f"{name}.json").read_bytes() for name in stage.shelf.names()}

    first = baseline_stage(DIGITS, tmp_path, {"initial_loss", "one_batch"})
    baseline.tell(first)
    before = evidence(first)
    second = baseline_stage(DIGITS, tmp_path, {"initial_loss", "one_batch", "controls"})
    baseline.tell(second)
    after = evidence(second)
    assert after.pop("controls")
    assert after == before


def test_a_loss_without_gradient_ends_the_story_with_a_note(tmp_path):
    stage = baseline_stage([*DIGITS, "loss._target_=zoo.losses.rounded_loss"], tmp_path, EVIDENCE - {"determinism"})
    baseline.tell(stage)
    assert "no gradient" in stage.notes[0]
    assert "one_batch" not in stage.shelf.names()


def test_without_a_width_capacity_is_unmeasured_with_the_reason(tmp_path):
    stage = baseline_stage(DIGITS, tmp_path, {"capacity"})
    baseline.tell(stage)
    record = stage.shelf.get("capacity", object)
    assert isinstance(record, Unmeasured)
    assert "no knob for its width" in record.reason


def test_a_budget_shortens_the_runs_and_the_plan_is_kept(tmp_path):
    stage = baseline_stage(DIGITS, tmp_path, set(), budget=0.01)
    baseline.tell(stage)
    plan = stage.shelf.get("plan", BaselinePlan)
    assert (plan.reference, plan.control, plan.capacity) == (150, 20, 20)
    again = baseline_stage(DIGITS, tmp_path, set(), budget=1000.0)
    baseline.tell(again)
    assert Shelf(again.shelf.folder).get("plan", BaselinePlan) == plan


def test_a_model_of_another_shape_is_refused_with_both(tmp_path):
    stage = baseline_stage([*SEVENS, "model._target_=zoo.models.DropsDimension"], tmp_path, set())
    with pytest.raises(Refusal, match=r"returned \(256,\); binary with targets \(256, 1\)"):
        baseline.tell(stage)


def test_the_settled_model_is_a_fresh_one_when_training_diverges(tmp_path):
    stage = baseline_stage([*DIGITS, "optimizer=sgd", "optimizer.lr=1e30"], tmp_path, set())
    model = probe.settled(stage.ingredients, 0)
    assert all(bool(parameter.isfinite().all()) for parameter in model.parameters())

from __future__ import annotations

from recipe.record.skeleton import Outputs
from recipe.testing import run_check


def outputs(**given):
    sound = {
        "form": "scores",
        "form_wanted": "scores",
        "family": "cross-entropy",
        "width": 10,
        "width_wanted": 10,
        "low": -0.4,
        "high": 0.5,
        "far_low": -300.0,
        "far_high": 280.0,
        "spread": 0.1,
        "finite": True,
    }
    return Outputs(**(sound | given))


def test_raw_scores_before_cross_entropy_pass():
    assert run_check("outputs-fit-the-loss", outputs=outputs()).verdict == "pass"


def test_softmax_before_cross_entropy_names_the_floor():
    finding = run_check("outputs-fit-the-loss", outputs=outputs(form="probabilities"))
    assert (finding.verdict, finding.cause) == ("fail", "softmax-before-cross-entropy")
    assert "1.461" in finding.message


def test_log_softmax_before_cross_entropy_is_harmless():
    assert run_check("outputs-fit-the-loss", outputs=outputs(form="log-probabilities")).verdict == "pass"


def test_each_misfit_has_its_cause():
    causes = {
        "nll-of-raw-scores": outputs(family="nll", form_wanted="log-probabilities"),
        "nll-of-probabilities": outputs(family="nll", form_wanted="log-probabilities", form="probabilities"),
        "bce-of-raw-scores": outputs(family="bce", form_wanted="probabilities"),
        "sigmoid-in-model": outputs(family="bce", form_wanted="probabilities", form="probabilities"),
        "sigmoid-before-bce-with-logits": outputs(family="bce-with-logits", form="probabilities", low=0.4, high=0.6),
    }
    for cause, record in causes.items():
        finding = run_check("outputs-fit-the-loss", outputs=record)
        assert (finding.verdict, finding.cause) == ("fail", cause)


def test_a_loss_of_ones_own_is_not_judged():
    assert run_check("outputs-fit-the-loss", outputs=outputs(form_wanted=None, family=None)).verdict == "skipped"


def test_too_many_outputs():
    assert run_check("output-width", outputs=outputs()).verdict == "pass"
    assert run_check("output-width", outputs=outputs(width=1000)).cause == "output-width"


def test_constant_outputs():
    assert run_check("outputs-vary", outputs=outputs()).verdict == "pass"
    assert run_check("outputs-vary", outputs=outputs(spread=0.0)).cause == "outputs-constant"
    alone = outputs(width=1, low=1.0, high=1.0, spread=0.0)
    assert run_check("outputs-vary", outputs=alone).cause == "softmax-over-one-unit"
    assert run_check("outputs-vary", outputs=outputs(finite=False)).cause == "outputs-not-finite"


def test_targets_out_of_reach():
    assert run_check("outputs-reach-targets", outputs=outputs()).verdict == "skipped"
    free = outputs(target_low=-2.0, target_high=2.0)
    assert run_check("outputs-reach-targets", outputs=free).verdict == "pass"
    relu = outputs(target_low=-2.0, target_high=2.0, far_low=0.0)
    finding = run_check("outputs-reach-targets", outputs=relu)
    assert (finding.verdict, finding.cause) == ("warn", "outputs-cannot-reach-targets")
    inside = outputs(target_low=0.0, target_high=1.0, far_low=0.0, far_high=1.0)
    assert run_check("outputs-reach-targets", outputs=inside).verdict == "pass"

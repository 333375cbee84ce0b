from __future__ import annotations

import math

from recipe.record.interval import Interval
from recipe.record.skeleton import EvaluationProof, MetricProof, Metrics
from recipe.testing import run_check

WAYS = ("all at once", "again", "batches of 7", "one by one", "backwards", "evaluate")


def evaluation(items=256, inputs_repeat=True, **losses):
    values = dict.fromkeys(WAYS, 2.3) | {name.replace("_", " "): value for name, value in losses.items()}
    return EvaluationProof(
        items=min(items, 256),
        split_items=items,
        metric="accuracy",
        interval=Interval(0.1, 0.06, 0.15, 256),
        losses=values,
        metrics=dict.fromkeys(WAYS, 0.1),
        inputs_repeat=inputs_repeat,
    )


def metric(**given):
    sound = {"perfect": 1.0, "half": 0.5, "shuffled": 0.1, "constant": 0.1, "wrong": 0.0, "unit": 1.0, "cycle": 1.0}
    values = sound | {"reordered": given.get("half", 0.5)} | given
    return Metrics(proofs=(MetricProof(name="accuracy", **values),))


def test_one_number_in_every_way_passes():
    assert run_check("evaluation-is-exact", evaluation=evaluation(one_by_one=2.30001)).verdict == "pass"


def test_each_way_of_differing_has_its_cause():
    causes = {
        "random-in-evaluation": evaluation(again=2.4, one_by_one=2.5),
        "prediction-depends-on-batch": evaluation(batches_of_7=2.4),
        "loss-is-no-mean": evaluation(evaluate=0.009),
        "random-validation-inputs": evaluation(inputs_repeat=False),
        "evaluation-not-finite": evaluation(all_at_once=math.nan),
    }
    for cause, record in causes.items():
        finding = run_check("evaluation-is-exact", evaluation=record)
        assert (finding.verdict, finding.cause) == ("fail", cause)


def test_sound_metrics_pass_whether_high_or_low_is_good():
    assert run_check("metric-proves-itself", metrics=metric()).verdict == "pass"
    low = metric(perfect=0.0, half=3.0, shuffled=8.0, constant=5.0, wrong=9.0, unit=math.nan, cycle=math.nan)
    assert run_check("metric-proves-itself", metrics=low).verdict == "pass"


def test_each_broken_metric_has_its_cause():
    nothing = {"perfect": math.nan, "half": math.nan, "unit": math.nan, "cycle": math.nan}
    causes = {
        "metric-constant": metric(perfect=0.0, half=0.0, shuffled=0.0, constant=0.0, unit=0.0, cycle=0.0),
        "metric-over-batch-axis": metric(perfect=0.1, half=0.3, unit=1.0, cycle=0.0),
        "metric-depends-on-order": metric(reordered=0.4),
        "metric-not-best-when-perfect": metric(perfect=0.3, unit=0.3, cycle=0.3),
        "metric-not-finite": metric(perfect=math.inf),
        "metric-raises": metric(**nothing, error="shapes differ"),
    }
    for cause, record in causes.items():
        finding = run_check("metric-proves-itself", metrics=record)
        assert (finding.verdict, finding.cause) == ("fail", cause)


def test_few_validation_items_are_a_warning():
    assert run_check("validation-size", evaluation=evaluation(270)).verdict == "pass"
    finding = run_check("validation-size", evaluation=evaluation(20))
    assert (finding.verdict, finding.cause) == ("warn", "validation-too-small")
    assert "5.0%" in finding.message

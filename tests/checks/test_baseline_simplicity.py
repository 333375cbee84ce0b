from __future__ import annotations

from recipe.record.skeleton import Simplicity
from recipe.testing import run_check


def simplicity(**given):
    calm = {
        "dropout": {},
        "noisy_forward": False,
        "changing_inputs": False,
        "weight_decay": 0.0,
        "weight_decay_pull": 0.0,
        "switched_off": {},
        "still_on": (),
    }
    return Simplicity(**(calm | given))


def test_what_was_switched_off_is_told():
    record = simplicity(dropout={"head.2": 0.25}, switched_off={"regularizers.mixup": "0.2"}, noisy_forward=True)
    finding = run_check("nothing-regularizes", simplicity=record)
    assert finding.verdict == "pass"
    assert "regularizers.mixup=0.2" in finding.message
    assert "dropout 0.25 in head.2" in finding.message


def test_what_is_still_on_fails():
    finding = run_check("nothing-regularizes", simplicity=simplicity(still_on=("shrink 0.1 in group 0",)))
    assert (finding.verdict, finding.cause) == ("fail", "regularizer-left-on")


def test_dropout_of_one_half_is_usual_and_more_is_not():
    assert run_check("dropout-rate", simplicity=simplicity(dropout={"a": 0.5})).verdict == "pass"
    finding = run_check("dropout-rate", simplicity=simplicity(dropout={"a": 0.2, "b": 0.9}))
    assert (finding.verdict, finding.cause, finding.where) == ("warn", "dropout-too-strong", "b")


def test_weight_decay_may_not_pull_harder_than_the_data():
    mild = simplicity(weight_decay=1e-4, weight_decay_pull=1e-3)
    assert run_check("weight-decay-pull", simplicity=mild).verdict == "pass"
    strong = simplicity(weight_decay=1.0, weight_decay_pull=9.0)
    finding = run_check("weight-decay-pull", simplicity=strong)
    assert (finding.verdict, finding.cause) == ("warn", "weight-decay-dominates")
    assert run_check("weight-decay-pull", simplicity=strong, most=10.0).verdict == "pass"

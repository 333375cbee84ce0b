from __future__ import annotations

from recipe.record.skeleton import Dependencies
from recipe.testing import run_check

ALONE = ((1.0, 0.0), (0.0, 2.0))
MIXED = ((1.0, 0.5), (0.0, 2.0))
NOTHING = ((0.0, 0.0), (0.0, 0.0))


def dependencies(gradient=ALONE, forward=ALONE, **given):
    sound = {"influence": (), "silent_share": 0.0, "silent_leaves": (), "norms": ()}
    return Dependencies(items=2, gradient=gradient, forward=forward, **(sound | given))


def test_examples_that_stay_apart_pass():
    assert run_check("examples-stay-apart", dependencies=dependencies()).verdict == "pass"
    assert run_check("examples-stay-apart", dependencies=dependencies(gradient=None)).verdict == "pass"


def test_norm_layers_are_disclosed():
    finding = run_check("examples-stay-apart", dependencies=dependencies(norms=("body.1",)))
    assert finding.verdict == "pass"
    assert "body.1 mix examples in training, by design" in finding.message


def test_a_gradient_on_another_example_fails():
    finding = run_check("examples-stay-apart", dependencies=dependencies(gradient=MIXED))
    assert (finding.verdict, finding.cause) == ("fail", "batch-mixing")
    assert "example 0 has a gradient on example 1" in finding.message


def test_an_exchange_that_moves_another_output_fails():
    assert run_check("examples-stay-apart", dependencies=dependencies(forward=MIXED)).cause == "batch-mixing"


def test_inputs_that_matter_pass():
    assert run_check("inputs-are-used", dependencies=dependencies(silent_share=0.2)).verdict == "pass"


def test_inputs_that_do_not_matter():
    causes = {
        "inputs-ignored": dependencies(NOTHING, NOTHING),
        "gradient-cut": dependencies(NOTHING, ALONE),
        "input-unused": dependencies(silent_leaves=("inputs['b']",)),
    }
    for cause, record in causes.items():
        finding = run_check("inputs-are-used", dependencies=record)
        assert (finding.verdict, finding.cause) == ("fail", cause)
    partly = run_check("inputs-are-used", dependencies=dependencies(silent_share=0.6))
    assert (partly.verdict, partly.cause) == ("warn", "inputs-partly-unused")

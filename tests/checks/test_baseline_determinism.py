from __future__ import annotations

import msgspec

from recipe.record.baseline import Determinism, RunTrace
from recipe.testing import run_check

RUN = RunTrace(
    place="this process",
    weights_before={"head.weight": "a", "head.bias": "b"},
    weights_after={"head.weight": "c", "head.bias": "d"},
    batches=("x", "y"),
    losses=(2.3, 2.2),
)


def check(**differs):
    other = msgspec.structs.replace(RUN, place="a new process", **differs)
    return run_check("same-seed-same-run", determinism=Determinism(seed=3, runs=(RUN, RUN, other)))


def test_equal_bytes_pass():
    assert check().verdict == "pass"


def test_other_data_are_named_first():
    finding = check(batches=("x", "z"), losses=(2.3, 2.1))
    assert (finding.verdict, finding.cause) == ("fail", "data-differ")
    assert "step 1" in finding.message


def test_other_weights_at_the_start_name_the_tensor():
    finding = check(weights_before={"head.weight": "a", "head.bias": "e"})
    assert (finding.cause, finding.where) == ("weights-differ", "head.bias")


def test_the_first_step_that_differs_is_named():
    assert check(losses=(2.3, 2.2000001)).where == "step 1"
    assert check(weights_after={"head.weight": "c", "head.bias": "?"}).where == "head.bias"


def test_a_process_that_did_not_come_about_is_a_warning():
    finding = check(losses=(), batches=(), weights_before={}, weights_after={})
    assert (finding.verdict, finding.cause) == ("warn", "no-new-process")

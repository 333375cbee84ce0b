"""Each planted fault is caught by its check, with its cause; healthy twins are left alone.

All healthy setups run with RECIPE_ZOO=all; without it those that train fast and are unlike each other.
"""

from __future__ import annotations

import os

import pytest
from catalogue import FAULTS, HEALTHY
from harness import baseline_findings

SLOW = {
    "H04 ConvNet, dropout, decay",
    "H05 ResNet, one cycle",
    "H06 log-softmax and NLL",
    "H10 by the key",
    "H11 imbalance, no prior",
    "H12 no prior",
    "H20 tiny ViT",
    "H21 GRU, clipped",
    "H22 group norm, batch of 4",
}
TOLD = [name for name in HEALTHY if name not in SLOW or os.environ.get("RECIPE_ZOO") == "all"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_planted_fault_is_named(fault, tmp_path):
    finding = baseline_findings(fault.overrides, tmp_path, {fault.check})[fault.check]
    assert (finding.verdict in ("warn", "fail"), finding.cause) == (True, fault.cause), finding.message
    assert finding.advice


@pytest.mark.parametrize("name", TOLD)
def test_a_healthy_setup_is_left_alone(name, tmp_path):
    findings = baseline_findings(HEALTHY[name], tmp_path)
    assert {f.id: f.message for f in findings.values() if f.verdict in ("warn", "fail")} == {}


def test_the_same_seed_gives_the_same_run_in_a_new_process(tmp_path):
    finding = baseline_findings(HEALTHY["H02 MLP, Adam 1e-3"], tmp_path, {"same-seed-same-run"})["same-seed-same-run"]
    assert finding.verdict == "pass", finding.message

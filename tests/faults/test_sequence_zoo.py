"""Faults of sequences, autoencoders and inputs in parts are named; their healthy twins are left alone."""

from __future__ import annotations

import os

import pytest
from harness import baseline_findings
from sequence_catalogue import SEQUENCE_FAULTS, SEQUENCES

FAST = {"attention with a mask", "texts by a bag of words", "a mapping of inputs", "autoencoder"}
TOLD = [name for name in SEQUENCES if name in FAST or os.environ.get("RECIPE_ZOO") == "all"]


@pytest.mark.parametrize("fault", SEQUENCE_FAULTS, ids=lambda fault: fault.id)
def test_a_planted_fault_is_named(fault, tmp_path):
    finding = baseline_findings(fault.overrides, tmp_path, {fault.check})[fault.check]
    assert (finding.verdict in ("warn", "fail"), finding.cause) == (True, fault.cause), finding.message
    assert finding.advice


@pytest.mark.parametrize("name", TOLD)
def test_a_healthy_setup_is_left_alone(name, tmp_path):
    findings = baseline_findings(SEQUENCES[name], tmp_path)
    assert {f.id: f.message for f in findings.values() if f.verdict in ("warn", "fail")} == {}

"""Each planted fault of the data is caught by its check, with its cause, which its healthy twin does not have."""

from __future__ import annotations

import pytest
from inspect_catalogue import FAULTS, HEALTHY, sound
from inspect_harness import inspect_findings


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_planted_fault_is_named(fault, tmp_path):
    finding = inspect_findings(fault.overrides, tmp_path, fault.check)[fault.check]
    assert (finding.verdict in ("warn", "fail"), finding.cause) == (True, fault.cause), finding.message
    assert finding.advice


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_data_are_left_alone(name, tmp_path):
    findings = inspect_findings(HEALTHY[name], tmp_path)
    assert {f.id: f.message for f in findings.values() if f.verdict in ("warn", "fail")} == {}


def test_hard_grey_photographs_are_left_alone(shared_data, tmp_path):  # H19
    folder = shared_data("cifar10")
    findings = inspect_findings(sound("grey_photographs", f"data.folder={folder}"), tmp_path)
    assert {f.id: f.message for f in findings.values() if f.verdict in ("warn", "fail")} == {}

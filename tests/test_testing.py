"""What authors of checks hold on to."""

from __future__ import annotations

import pytest

from recipe.testing import find_check, run_check


def test_evidence_that_is_left_out_skips_the_check():
    finding = run_check("init-loss")
    assert (finding.verdict, finding.reason) == ("skipped", "initial_loss was not measured")


def test_an_unknown_check_or_argument_is_an_error():
    with pytest.raises(TypeError, match="no check 'nonsense'"):
        find_check("nonsense")
    with pytest.raises(TypeError, match="reads"):
        run_check("init-loss", initial_los=None)

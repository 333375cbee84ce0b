"""The checks as tests of a user's own suite, through pytest itself."""

from __future__ import annotations

import pytest
import torch  # noqa: F401 - pytester forgets what is imported inside it, and torch is not imported twice

import recipe.checking
import recipe.from_python  # noqa: F401 - likewise

pytest_plugins = "pytester"

NETS = """
import pytest, torch
from torch import nn

@pytest.fixture(scope="module")
def batch():
    x = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
    return x, x[:, :4].argmax(1)

def body(*last):
    return nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 4), *last)

def recipe_net(batch):
    return body(), nn.CrossEntropyLoss(), batch

def recipe_softmax(batch):
    return {"model": body(nn.Softmax(dim=1)), "loss": nn.CrossEntropyLoss(), "batch": batch, "seed": 1}

def recipe_narrow(batch):
    return nn.Linear(6, 2), nn.MSELoss(), (batch[0], batch[0][:, :3])

def test_of_their_own():
    assert True
"""
PROJECT = """
import numpy as np, torch

def data(seed):
    x = np.random.default_rng(0).normal(size=(240, 4)).astype("float32")
    return {"train": (x, (x[:, 0] > 0).astype("int64"))}

class Net(torch.nn.Sequential):
    def __init__(self, num_outputs):
        super().__init__(torch.nn.Linear(4, 32), torch.nn.ReLU(), torch.nn.Linear(32, num_outputs))
"""
CONF = """
defaults: [{data: custom}, {model: custom}]
data: {_target_: plugged.data}
model: {_target_: plugged.Net}
trust: [plugged]
"""


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    return result.parseoutcomes()


def test_each_check_of_a_batch_is_a_test(pytester):
    pytester.makepyfile(NETS)
    result = pytester.runpytest_inprocess("-k", "recipe_net or of_their_own", "-q")
    assert outcomes(result).get("failed", 0) == 0
    assert outcomes(result)["passed"] > 25
    assert outcomes(result)["skipped"] > 0


def test_a_fault_fails_the_tests_of_the_checks_that_name_it(pytester):
    pytester.makepyfile(NETS)
    chosen = "recipe_softmax and (outputs-fit-the-loss or output-width) or recipe_narrow and (model-runs or init-loss)"
    result = pytester.runpytest_inprocess("-k", chosen, "-q", "-rs")
    assert outcomes(result) == {"failed": 2, "passed": 1, "skipped": 1, "deselected": outcomes(result)["deselected"]}
    result.stdout.fnmatch_lines(["*recipe_softmax[[]outputs-fit-the-loss[]]*"])
    result.stdout.fnmatch_lines(["outputs-fit-the-loss: *softmax before cross-entropy*"])
    result.stdout.fnmatch_lines(["*do: return raw scores*"])
    result.stdout.fnmatch_lines(["model-runs: *(32, 2)*(32, 3)*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_stages_of_a_project_are_tests_of_its_config(pytester, monkeypatch):
    pytester.makepyfile(plugged=PROJECT)
    pytester.makefile(".yaml", **{"conf/config": CONF})
    checks = "[init-loss,output-width,people-agree-with-labels]"
    pytester.makeini(
        f"""
        [pytest]
        recipe_stages = baseline
        recipe_overrides = baseline.checks={checks} checks.init-loss.above=0.0 checks.init-loss.below=0.0
        """
    )
    result = pytester.runpytest_inprocess("-q", "conf/config.yaml", "-rs", "-Wdefault")
    found = outcomes(result)
    assert found.get("failed", 0) == 0, result.stdout.str()
    assert found["passed"] == 2
    assert found["warnings"] == 1
    result.stdout.fnmatch_lines(["*RecipeWarning*"])
    assert not list(pytester.path.glob("runs"))


def test_an_unknown_stage_is_named(pytester):
    pytester.makefile(".yaml", **{"conf/config": CONF})
    pytester.makeini("[pytest]\nrecipe_stages = basline\n")
    result = pytester.runpytest_inprocess("conf/config.yaml")
    assert result.ret == pytest.ExitCode.INTERRUPTED or result.ret == pytest.ExitCode.USAGE_ERROR
    assert "there is no stage basline" in result.stdout.str() + result.stderr.str()


def test_without_them_pytest_is_as_it_was(pytester):
    pytester.makepyfile("def test_one(): pass")
    pytester.makefile(".yaml", **{"conf/config": CONF})
    code = "import sys, pytest; pytest.main(['-q']); print('torch' in sys.modules, 'recipe.judge' in sys.modules)"
    result = pytester.runpython_c(code)
    result.stdout.fnmatch_lines(["*1 passed*", "False False"])

import subprocess
import sys

import pytest
import torch

from recipe.machine import free_memory


def test_free_memory_is_between_nothing_and_all():
    assert 0 < free_memory(torch.device("cpu")) < 2**60


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_what_a_step_frees_is_kept_for_the_next():
    program = """
import resource, sys, torch
from recipe.training.allocator import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(1)
def step():
    return [torch.ones(4 << 20) for _ in range(4)][0].sum()
step(), step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = [
        int(subprocess.run([sys.executable, "-c", program, how], capture_output=True, check=True).stdout)
        for how in ("keep", "give back")
    ]
    assert faults[0] < 100 < faults[1]

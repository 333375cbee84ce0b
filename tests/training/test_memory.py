import subprocess
import sys

import pytest
import torch

from recipe.machine import free_memory


def test_free_memory_is_between_nothing_and_all():
    assert 0 < free_memory(torch.device("cpu")) < 2**60


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_the_c_library_takes_the_setting():
    program = "from recipe.training.allocator import keep_freed_memory; print(keep_freed_memory())"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "True\n"
    )

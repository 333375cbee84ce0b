import random
import subprocess
import sys

import numpy as np
import torch

from recipe.training.seeding import Counter, derive, seeded


def test_names_and_seed_decide_and_nothing_else():
    assert derive(0, "init") == derive(0, "init")
    assert len({derive(0, "init"), derive(1, "init"), derive(0, "order"), derive(0, "in", "it"), derive(0)}) == 5
    assert 0 <= derive(3, "x", 4) < 2**63


def test_derived_seeds_stay_the_same_between_releases():
    assert derive(0, "init") == 96117637491448251


def test_no_torch_is_needed():
    program = "import sys, recipe.training.seeding as s; s.derive(0, 'a'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_counts_get_different_seeds():
    count = Counter(0, "step")
    found = {count(i) for i in range(-1000, 1000)}
    assert len(found) == 2000
    assert all(0 <= seed < 2**63 for seed in found)
    assert count(5) == Counter(0, "step")(5) != Counter(1, "step")(5)


def test_seeded_leaves_no_trace():
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    with seeded(3):
        first = torch.rand(1).item(), np.random.rand(), random.random()
    with seeded(3):
        assert (torch.rand(1).item(), np.random.rand(), random.random()) == first
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]

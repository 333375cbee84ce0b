import os
import signal
import subprocess
import sys
import time

import pytest

from recipe.record.lock import held
from recipe.record.refusal import InUse

HOLD = """
import sys, time
from pathlib import Path
from recipe.record.lock import held
with held(Path(sys.argv[1]), 'recipe walk'):
    print('held', flush=True)
    time.sleep(60)
"""


@pytest.fixture
def owner(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_owner_is_told_who_holds_it(tmp_path, owner):
    with pytest.raises(InUse, match=f"process {owner.pid} .*recipe walk"), held(tmp_path, "recipe overfit"):
        pass


def test_a_killed_owner_leaves_no_lock(tmp_path, owner):
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    for _ in range(50):
        try:
            with held(tmp_path, "recipe overfit"):
                return
        except InUse:
            time.sleep(0.1)
    pytest.fail("the lock outlived its owner")

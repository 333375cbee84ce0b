"""Workers that are killed at random while they train: each trial comes to one outcome, none is lost, none is stuck.

python -m tests.trust.crew FOLDER WORKERS TRIALS SEED
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.trial import Trial
from recipe.trials import processes
from recipe.trials.here import finished

SECONDS = 2.0


def main() -> int:
    folder, count, number, seed = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    made = Ingredients(compose(["model=mlp", "model.width=16", "model.depth=1", "device=cpu"]))
    trials = [Trial(name=f"trial {k}", change={}, seed=k, steps=200) for k in range(number)]
    told: Counter[str] = Counter()
    over = threading.Event()
    kills = Counter[str]()

    def killer() -> None:
        draw = random.Random(seed)
        while not over.wait(draw.uniform(0.5, 1.5) * SECONDS):
            busy = [worker for worker in processes._crew if worker.job]
            if busy and (pid := draw.choice(busy).process.pid):
                os.kill(pid, signal.SIGKILL)
                kills["all"] += 1

    threading.Thread(target=killer, daemon=True).start()
    started = time.monotonic()
    processes.run_in_processes(
        trials, made, folder, workers=count, threads=1, save=False, done=lambda o: told.update([o.trial.id])
    )
    over.set()
    outcomes = [finished(trial, folder, save=False) for trial in trials]
    states = Counter(outcome.status if outcome else "lost" for outcome in outcomes)
    print(f"{number} trials, {kills['all']} kills in {time.monotonic() - started:.0f} s: {dict(states)}")
    processes.dismiss()
    once = len(told) == number and set(told.values()) == {1}
    return 0 if once and states["lost"] == 0 and kills["all"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

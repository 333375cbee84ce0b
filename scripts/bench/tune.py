"""Times the same trials (one net on digits, different rates) stacked, in order, in processes, and by other tools.

    scripts/bench/tune [--net mlp|convnet] [--trials 32] [--epochs 20] [--rounds 5] [--device cpu|cuda] [--only A,B]
        [--clock wall|cpu]

Every runner trains the same net on the same batches for as many steps and validates as often. Runners take turns within
each round; the table has the median time of a round and the speed against recipe's own trials one after the other, with
the range from the lower to the upper quartile. At the end: how far the weights of stacked trials are from single ones.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib.util
import io
import logging
import math
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import nn  # noqa: E402

from recipe.config import compose  # noqa: E402
from recipe.ingredients import Ingredients  # noqa: E402
from recipe.record.progress import Silent  # noqa: E402
from recipe.record.trial import Outcome, Trial  # noqa: E402
from recipe.trials import processes  # noqa: E402
from recipe.trials.here import WEIGHTS, run_here  # noqa: E402
from recipe.trials.pool import processors, run_trials  # noqa: E402
from recipe.trials.stacked import candidate, run_stacked  # noqa: E402
from recipe.trials.ways import recorded  # noqa: E402

NETS = {
    "mlp": ["model=mlp", "model.width=128", "model.depth=2", "train.batch_size=32"],
    "convnet": ["model=convnet", "model.channels=8", "model.width=32", "train.batch_size=32"],
}


BATCH = 32
Data = dict[str, tuple[torch.Tensor, torch.Tensor]]
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


class Task:
    """The trials: rates from 1e-4 to 1e-2, evenly on a log scale."""

    def __init__(self, net: str, count: int, epochs: int, device: str) -> None:
        words = [*NETS[net], f"train.epochs={epochs}", f"device={device}", "engine.stacked=true"]
        self.ingredients = Ingredients(compose(words))
        self.count, self.device = count, self.ingredients.device
        self.data = {name: self._tensors(name) for name in ("train", "val")}
        self.epochs = epochs
        self.steps = self.ingredients.steps()
        self.rates = [float(f"{10 ** (-4 + 2 * i / max(1, count - 1)):.3g}") for i in range(count)]
        self.trials = [
            Trial(name=f"rate {i}", change={"optimizer.lr": rate}, seed=0, steps=self.steps)
            for i, rate in enumerate(self.rates)
        ]

    def _tensors(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        batches = list(self.ingredients.feed(split, plain=True).in_order())
        return torch.cat([b.inputs for b in batches]), torch.cat([b.targets for b in batches])

    def plain(self, rate: float) -> float:
        """The trial at this rate in a plain loop."""
        return plain_loop(self.ingredients.model(0), self.data, rate, self.epochs)


def plain_loop(net: nn.Module, data: Data, rate: float, epochs: int) -> float:
    """Over tensors in memory with a fused optimizer, validated once an epoch: the final validation loss."""
    (inputs, targets), (val, asked) = data["train"], data["val"]
    net, loss = net.to(inputs.device), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=True)
    last = math.nan
    for _ in range(epochs):
        order = torch.randperm(len(targets), device=inputs.device)
        for start in range(0, len(targets), BATCH):
            index = order[start : start + BATCH]
            optimizer.zero_grad(set_to_none=True)
            value = loss(net(inputs[index]), targets[index])
            value.backward()
            optimizer.step()
        with torch.no_grad():
            last = float(loss(net(val), asked))
    return last


def in_order(task: Task, folder: Path) -> None:
    run_here(
        task.trials, task.ingredients, folder, threads=1, save=True, progress_of=lambda _: Silent(), done=lambda _: None
    )


def stacked(task: Task, folder: Path) -> None:
    run_stacked(task.trials, task.ingredients, folder, threads=1, save=True, progress=Silent(), done=lambda _: None)


def in_processes(task: Task, folder: Path) -> None:
    """Workers that are there already: the first round, which is not counted, has started them."""
    outcomes: list[Outcome] = []
    processes.run_in_processes(
        task.trials, task.ingredients, folder, workers=processors(), threads=1, save=True, done=outcomes.append
    )
    assert len(outcomes) == task.count


def chosen(task: Task, folder: Path) -> None:
    """As tune does it: a measurement first, then the faster way."""
    processes.dismiss()
    run_trials(task.trials, task.ingredients, folder, save=True)


def plain(task: Task, _: Path) -> None:
    for rate in task.rates:
        task.plain(rate)


def optuna_loop(task: Task, _: Path) -> None:
    """A study in memory with a random sampler around the plain loop."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: task.plain(trial.suggest_float("lr", 1e-4, 1e-2, log=True)), n_trials=task.count)


def ray_tune(task: Task, folder: Path) -> None:
    """Tuner with a function; one processor a trial, the data in the object store. The cluster is there already."""
    import ray
    from ray import tune

    if not ray.is_initialized():
        os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
        ray.init(num_cpus=processors(), include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    trainable = tune.with_parameters(_ray_trial, net=task.ingredients.model(0), data=task.data, epochs=task.epochs)
    space = {"lr": tune.loguniform(1e-4, 1e-2)}
    share = {"cpu": 1, **({"gpu": 1 / processors()} if task.device.type == "cuda" else {})}
    tuner = tune.Tuner(
        tune.with_resources(trainable, share),
        param_space=space,
        tune_config=tune.TuneConfig(num_samples=task.count, metric="loss", mode="min"),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0),
    )
    assert len(tuner.fit()) == task.count


def _ray_trial(config: dict[str, float], net: nn.Module, data: Data, epochs: int) -> None:
    from ray import tune

    torch.set_num_threads(1)
    tune.report({"loss": plain_loop(copy.deepcopy(net), data, config["lr"], epochs)})


RUNNERS: dict[str, tuple[str, Callable[[Task, Path], None]]] = {
    "in order": ("torch", in_order),
    "stacked": ("torch", stacked),
    "processes": ("torch", in_processes),
    "chosen": ("torch", chosen),
    "plain loop": ("torch", plain),
    "Optuna": ("optuna", optuna_loop),
    "Ray Tune": ("ray", ray_tune),
}


def timed(runner: Callable[[Task, Path], None], task: Task, clock: Callable[[], float]) -> float:
    """Seconds for all trials; whatever a tool prints is thrown away."""
    quiet = io.StringIO()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
    ):
        started = clock()
        runner(task, Path(folder))
        if task.device.type == "cuda":
            torch.cuda.synchronize()
        return clock() - started


def measure(task: Task, names: list[str], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each runner in each round, after one round to warm up."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names:
            try:
                seconds = timed(RUNNERS[name][1], task, clock)
            except Exception as error:
                if number:
                    raise
                print(f"{name} is left out: {type(error).__name__}: {str(error).splitlines()[:1]}", file=sys.stderr)
                found.pop(name)
                continue
            if number:
                found[name].append(seconds)
        names = list(found)
    return found


def tell(task: Task, net: str, found: dict[str, list[float]]) -> None:
    rounds = len(found["in order"])
    where = torch.cuda.get_device_name() if task.device.type == "cuda" else f"{processors()} processors"
    print(
        f"{task.count} trials of {net}, {task.steps} steps of {BATCH} each, {rounds} rounds, "
        f"torch {torch.__version__}, {where}, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':12s} {'seconds':>9s}   speed against recipe's trials in order")
    for name, seconds in found.items():
        ratios = sorted(first / own for first, own in zip(found["in order"], seconds, strict=True))
        middle, low, high = statistics.median(ratios), ratios[rounds // 4], ratios[-1 - rounds // 4]
        print(f"{name:12s} {statistics.median(seconds):9.2f}   {middle:5.2f}  [{low:.2f}, {high:.2f}]")


def tell_agreement(task: Task) -> None:
    """How far stacked trials are from single ones after all steps."""
    with tempfile.TemporaryDirectory() as alone, tempfile.TemporaryDirectory() as together:
        in_order(task, Path(alone))
        stacked(task, Path(together))
        apart = []
        for trial in task.trials:
            a, b = (load_file(Path(folder) / trial.id / WEIGHTS) for folder in (alone, together))
            apart.append(torch.cat([(a[name] - b[name]).abs().flatten() for name in a]))
        every = torch.cat(apart).double()
        print(f"weights of stacked and single trials differ by {every.median():.1e} (median), {every.max():.1e} (most)")


def tell_choice(task: Task) -> None:
    """What the measurement before the trials says."""
    with tempfile.TemporaryDirectory() as folder:
        chosen(task, Path(folder))
        for way in recorded(Path(folder)).ways:
            print(f"chosen: {'stacked' if way.stacked else 'the usual way'}; {way.reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=NETS, default="mlp")
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="cpu: less shaken on a machine that others use; one process only",
    )
    parser.add_argument("--only", help="runners, with commas between them")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    task = Task(asked.net, asked.trials, asked.epochs, asked.device)
    wanted = [name.strip() for name in asked.only.split(",")] if asked.only else list(RUNNERS)
    names = [name for name in RUNNERS if name in wanted or name == "in order"]
    missing = [name for name in names if importlib.util.find_spec(RUNNERS[name][0]) is None]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}", file=sys.stderr)
    reasons = {one.reason for one in map(partial(candidate, ingredients=task.ingredients), task.trials) if one.reason}
    if reasons:
        print(f"these trials go alone: {'; '.join(sorted(reasons))}", file=sys.stderr)
    names = [name for name in names if name not in missing]
    tell(task, asked.net, measure(task, names, asked.rounds, CLOCKS[asked.clock]))
    tell_agreement(task)
    tell_choice(task)


if __name__ == "__main__":
    main()

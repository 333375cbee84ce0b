"""Times one training by a plain loop, by recipe and by other frameworks: same net, same optimizer, same batches.

    scripts/bench/loop [--net mlp|convnet|resnet|speedrun] [--rounds 9] [--epochs N] [--only limit,recipe]
                       [--clock wall|cpu] [--device cpu|cuda] [--precision float32|bf16] [--compile]

Runners take turns within each round, so that whatever else the machine does hits all of them; medians are printed
with the range from the lower to the upper quartile. Ratios are speeds against `limit`: a plain torch loop over data
in memory, on the device. `speedrun` is a net of the kind that CIFAR-10 records are set with on one GPU: a whitening
layer that does not train, three groups of convolutions, Nesterov SGD, label smoothing, flips and shifts made on the
device.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import logging
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from rich.console import Console  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from recipe.models.resnet import ResNet  # noqa: E402
from recipe.render.progress import TerminalProgress  # noqa: E402
from recipe.training.augment import Flip, Shift  # noqa: E402
from recipe.training.feed import feed_of  # noqa: E402
from recipe.training.learner import assemble  # noqa: E402
from recipe.training.loop import fit  # noqa: E402

LR = 1e-3
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


class Task:
    """A net and its data. epochs: passes over the data in one timed run."""

    device, precision, compile = torch.device("cpu"), "float32", False

    def __init__(self, name: str, shape: tuple[int, ...], items: int, batch_size: int, epochs: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.name, self.batch_size, self.epochs = name, batch_size, epochs
        self.inputs = torch.randn(items, *shape, generator=generator)
        self.targets = torch.randint(0, 10, (items,), generator=generator)
        self.shape, self.steps = shape, epochs * -(-items // batch_size)
        self.augmented = name == "speedrun"
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.2 if self.augmented else 0.0)

    def __len__(self) -> int:
        return len(self.targets)

    def net(self) -> nn.Module:
        torch.manual_seed(0)
        if self.name == "mlp":
            return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
        if self.name == "speedrun":
            return speedrun_net()
        if self.name == "resnet":
            return ResNet(input_shape=self.shape, num_outputs=10)
        layers: list[nn.Module] = []
        for before, after in ((1, 32), (32, 64)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 49, 10))

    def optimizer(self) -> dict[str, object]:
        """Its node, as a config has it."""
        if self.augmented:
            return {"_target_": "torch.optim.SGD", "lr": 0.05, "momentum": 0.85, "nesterov": True, "weight_decay": 5e-4}
        return {"_target_": "torch.optim.Adam", "lr": LR}

    def wait(self) -> None:
        """Until the device has done what it was asked."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def loader(self, workers: int = 0) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(TensorDataset(self.inputs, self.targets), self.batch_size, shuffle=True, num_workers=workers)


def speedrun_net() -> nn.Module:
    """A frozen layer of 2 × 2 filters, then three groups of two 3 × 3 convolutions, the first of each pooled."""
    first = nn.Conv2d(3, 24, 2)
    first.weight.requires_grad_(False)
    layers: list[nn.Module] = [first, nn.GELU()]
    before = 24
    for after in (64, 256, 256):
        layers += [
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(after),
            nn.GELU(),
        ]
        layers += [nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.GELU()]
        before = after
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(before, 10))


TASKS = {
    # digits: 1,797 rows of 64 numbers; Fashion-MNIST: 28 × 28, one channel; CIFAR: 32 × 32, three channels
    "mlp": lambda epochs: Task("mlp", (64,), 1797, 32, epochs or 20),
    "convnet": lambda epochs: Task("convnet", (1, 28, 28), 3840, 128, epochs or 1),
    "resnet": lambda epochs: Task("resnet", (3, 32, 32), 512, 64, epochs or 1),
    # as large as CIFAR-10's training set
    "speedrun": lambda epochs: Task("speedrun", (3, 32, 32), 50_000, 1024, epochs or 4),
}


def limit(task: Task) -> None:
    """In memory (the device's), fused optimizer, nothing else."""
    net = task.net().to(task.device)
    if task.device.type == "cuda":
        net.to(memory_format=torch.channels_last)
    node = task.optimizer()
    kind = {"torch.optim.SGD": torch.optim.SGD, "torch.optim.Adam": torch.optim.Adam}[str(node.pop("_target_"))]
    optimizer = kind([p for p in net.parameters() if p.requires_grad], fused=True, **node)  # type: ignore[arg-type]
    forward = torch.compile(net) if task.compile else net
    inputs, targets = task.inputs.to(task.device), task.targets.to(task.device)
    for _ in range(task.epochs):
        order = torch.randperm(len(task), device=task.device)
        for start in range(0, len(task), task.batch_size):
            index = order[start : start + task.batch_size]
            batch = moved(inputs[index]) if task.augmented else inputs[index]
            if task.device.type == "cuda" and batch.ndim == 4:
                batch = batch.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(task.device.type, torch.bfloat16, enabled=task.precision == "bf16"):
                loss = task.loss(forward(batch), targets[index])
            loss.backward()
            optimizer.step()
    task.wait()


def moved(batch: Tensor, pixels: int = 2) -> Tensor:
    """Each picture flipped by a coin and shifted by up to so many pixels, as a script of one page does it."""
    items, _, height, width = batch.shape
    padded = nn.functional.pad(batch, (pixels,) * 4, mode="reflect")
    offsets = torch.randint(0, 2 * pixels + 1, (2, items, 1), device=batch.device)
    rows = offsets[0] + torch.arange(height, device=batch.device)
    columns = offsets[1] + torch.arange(width, device=batch.device)
    columns = torch.where(torch.rand(items, 1, device=batch.device) < 0.5, columns.flip(1), columns)
    item = torch.arange(items, device=batch.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[item, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def dataloader(task: Task) -> None:
    """As most tutorials write it: a DataLoader and the optimizer as it comes."""
    net = task.net()
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    for _ in range(task.epochs):
        for inputs, targets in task.loader():
            optimizer.zero_grad()
            loss = task.loss(net(inputs), targets)
            loss.backward()
            optimizer.step()


def recipe(task: Task, *, sample_every: int = 50, layout: str | bool = "auto") -> None:
    """With its progress on a terminal, its history and its sampled diagnostics."""

    def build(node: dict[str, object], **more: object) -> object:
        kind = {"torch.optim.SGD": torch.optim.SGD, "torch.optim.Adam": torch.optim.Adam}[str(node["_target_"])]
        return kind(**{key: value for key, value in {**node, **more}.items() if key != "_target_"})  # type: ignore[arg-type]

    train = {"channels_last": layout, "precision": task.precision, "compile": task.compile}
    config = {"optimizer": task.optimizer(), "train": train}
    dims = 1 + len(task.shape)
    learner = assemble(task.net(), task.loss, config, build=build, device=task.device, input_dims=dims)
    changes = (Flip(), Shift(2)) if task.augmented else ()
    feed = feed_of(task, batch_size=task.batch_size, seed=0, shuffle=True, device=task.device, transforms=changes)
    with TerminalProgress(Console(file=io.StringIO(), force_terminal=True)) as progress:
        history = fit(
            learner,
            feed,
            steps=task.epochs * feed.steps_per_epoch,
            seed=0,
            sample_every=sample_every,
            progress=progress,
        )
    assert history.stopped == "finished"
    task.wait()


def lightning(task: Task, *, tuned: bool = False) -> None:
    """A LightningModule of the documentation's shape. tuned: no logger, no checkpoints, no bar, no summary."""
    from lightning import LightningModule, Trainer

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = task.net()

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return task.loss(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=LR, fused=tuned)

    keys = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            max_epochs=task.epochs,
            accelerator="cpu",
            default_root_dir=folder,
            **(dict.fromkeys(keys, False) if tuned else {}),
        )
        trainer.fit(Module(), task.loader())


def fastai(task: Task, *, tuned: bool = False) -> None:
    """Learner and fit. tuned: no bar, no recorder."""
    import fastai.callback.progress  # noqa: F401 - as `from fastai.vision.all import *` does
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner, Recorder
    from fastai.optimizer import OptimWrapper

    def adam(parameters: object, **_: object) -> OptimWrapper:
        return OptimWrapper(parameters, torch.optim.Adam, lr=LR)

    learner = Learner(DataLoaders(task.loader(), task.loader()), task.net(), loss_func=task.loss, opt_func=adam)
    learner.dls.valid = ()
    with learner.no_bar() if tuned else contextlib.nullcontext():
        if tuned:
            learner.remove_cb(Recorder)
        learner.fit(task.epochs, LR)


def skorch(task: Task) -> None:
    """NeuralNetClassifier without validation split."""
    from skorch import NeuralNetClassifier

    classifier = NeuralNetClassifier(
        task.net(), criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=LR, batch_size=task.batch_size,
        max_epochs=task.epochs, train_split=None, iterator_train__shuffle=True, verbose=0,
    )  # fmt: skip
    classifier.fit(task.inputs.numpy(), task.targets.numpy())


RUNNERS: dict[str, tuple[str, Callable[[Task], None]]] = {
    "limit": ("torch", limit),
    "recipe": ("torch", recipe),
    "recipe unsampled": ("torch", lambda task: recipe(task, sample_every=0)),
    "recipe contiguous": ("torch", lambda task: recipe(task, layout=False)),
    "DataLoader": ("torch", dataloader),
    "Lightning": ("lightning", lightning),
    "Lightning tuned": ("lightning", lambda task: lightning(task, tuned=True)),
    "fastai": ("fastai", fastai),
    "fastai tuned": ("fastai", lambda task: fastai(task, tuned=True)),
    "skorch": ("skorch", skorch),
}


def timed(runner: Callable[[Task], None], task: Task, clock: Callable[[], float]) -> float:
    """Steps a second; whatever the framework prints is thrown away."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        started = clock()
        runner(task)
        return task.steps / (clock() - started)


def measure(task: Task, names: list[str], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Steps a second of each runner in each round, after one round to warm up."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names:
            try:
                speed = timed(RUNNERS[name][1], task, clock)
            except Exception as error:
                if number:
                    raise
                print(f"{name} is left out: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
                found.pop(name)
                continue
            if number:
                found[name].append(speed)
        names = list(found)
    return found


def tell(task: Task, found: dict[str, list[float]]) -> None:
    """A table: steps a second, and the speed against the limit of the same round."""
    rounds = len(found["limit"])
    print(
        f"{task.name}: batches of {task.batch_size}, {task.steps} steps a run, {rounds} rounds, {torch.__version__=!s}"
        f", {task.device.type} {task.precision}{' compiled' if task.compile else ''}"
    )
    for name, speeds in found.items():
        ratios = sorted(speed / best for speed, best in zip(speeds, found["limit"], strict=True))
        middle, low, high = statistics.median(ratios), ratios[rounds // 4], ratios[-1 - rounds // 4]
        print(f"{name:20s} {statistics.median(speeds):8.0f} steps/s   {middle:5.2f}  [{low:.2f}, {high:.2f}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=TASKS, default="mlp")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--epochs", type=int, help="passes over the data in one run")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: less shaken on a machine that others use")
    parser.add_argument("--only", help="runners, with commas between them")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; other frameworks than torch run on the CPU alone")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--compile", action="store_true", help="torch.compile of the net, for both")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    wanted = [name.strip() for name in asked.only.split(",")] if asked.only else list(RUNNERS)
    names = [name for name in RUNNERS if name in wanted or name == "limit"]
    missing = sorted({module for name in names if importlib.util.find_spec(module := RUNNERS[name][0]) is None})
    if missing:
        print(f"not installed, left out: {', '.join(missing)} (scripts/bench/loop --install)", file=sys.stderr)
    task = TASKS[asked.net](asked.epochs)
    task.device, task.precision, task.compile = torch.device(asked.device), asked.precision, asked.compile
    tell(
        task,
        measure(task, [name for name in names if RUNNERS[name][0] not in missing], asked.rounds, CLOCKS[asked.clock]),
    )


if __name__ == "__main__":
    main()

"""Small data and models for the training room; nothing here needs the data room."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recipe.training.learner import Learner, assemble


class Rows:
    """A split in memory."""

    def __init__(self, inputs: Any, targets: Tensor) -> None:
        self.inputs, self.targets, self.name = inputs, targets, "train"

    def __len__(self) -> int:
        return len(self.targets)

    def raw(self, index: int) -> tuple[Any, Tensor]:
        return self.inputs[index], self.targets[index]


class Stream(Rows):
    """The same split, read one by one."""

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        super().__init__(None, targets)
        self.items = inputs

    def raw(self, index: int) -> tuple[Any, Tensor]:
        return self.items[index], self.targets[index]


def build(node: Mapping[str, Any], **more: Any) -> Any:
    """What the ingredients' `instantiate` does, without Hydra."""
    settings = {key: value for key, value in {**node, **more}.items() if key not in ("_target_", "_partial_")}
    module, _, name = node["_target_"].rpartition(".")
    made = getattr(importlib.import_module(module), name)
    return made if node.get("_partial_") else made(**settings)


def small_net(seed: int = 0, *, dropout: float = 0.0) -> nn.Sequential:
    """Pictures (B, 1, 6, 6) → 3 classes, with a convolution and batch norm."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
            nn.Dropout(dropout), nn.Linear(144, 3),
        )  # fmt: skip


def digest(model: nn.Module) -> str:
    """A hash of all weights and buffers."""
    found = hashlib.blake2b()
    for tensor in model.state_dict().values():
        found.update(tensor.detach().contiguous().numpy().tobytes())
    return found.hexdigest()


def make_learner(
    model: nn.Module, config: Mapping[str, Any] | None = None, *, loss: Any = None, **more: Any
) -> Learner:
    """Adam at 1e-2 unless `config` says otherwise."""
    full = {"optimizer": {"_target_": "torch.optim.Adam", "lr": 1e-2}, **(config or {})}
    return assemble(model, loss or nn.CrossEntropyLoss(), full, build=build, device=torch.device("cpu"), **more)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pictures() -> Rows:
    """50 learnable pictures (1, 6, 6) of 3 classes."""
    generator = torch.Generator().manual_seed(7)
    targets = torch.randint(0, 3, (50,), generator=generator)
    inputs = torch.randn(50, 1, 6, 6, generator=generator) * 0.5
    for item, target in enumerate(targets.tolist()):
        inputs[item, 0, 2 * target : 2 * target + 2] += 1.5
    return Rows(inputs, targets)


@pytest.fixture
def rows() -> Callable[..., Rows]:
    return Rows


@pytest.fixture
def stream(pictures: Rows) -> Stream:
    return Stream(pictures.inputs, pictures.targets)


@pytest.fixture
def net() -> Callable[..., nn.Sequential]:
    return small_net


@pytest.fixture
def learner() -> Callable[..., Learner]:
    return make_learner


@pytest.fixture
def weights_of() -> Callable[[nn.Module], str]:
    return digest


@pytest.fixture
def instantiate() -> Callable[..., Any]:
    return build

"""One training on several processes comes to what one process does, up to the order in which gradients are added."""

from __future__ import annotations

import multiprocessing
import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from recipe.training.batch import Batch
from recipe.training.group import Group

# A batch of 51 does not divide by two; two of them to a step, a penalty, a clipped norm, and random shifts of items.
WORDS = (
    "model=mlp", "model.width=16", "train.batch_size=51", "train.accumulate=2", "train.clip_norm=1.0", "device=cpu",
    "optimizer.lr=3e-3", "regularizers.l1=1e-4",
    "regularizers.augment=[{_target_: recipe.training.augment.Shift, pixels: 1}]",
)  # fmt: skip


def train(rank: int, size: int, port: int, folder: str) -> None:
    """A whole run, as one of `size` processes; its weights, losses and validation loss in a file of its own."""
    from recipe.config import compose
    from recipe.ingredients import Ingredients

    if size > 1:
        address = f"tcp://127.0.0.1:{port}"
        torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=size)
    trained = Ingredients(compose(list(WORDS))).train(3, steps=40)
    told = {"losses": torch.tensor(trained.history.losses), "val": torch.tensor(trained.metrics["val"]["loss"])}
    save_file({**trained.model.state_dict(), **told}, f"{folder}/{size}-{rank}.safetensors")


def test_two_processes_come_to_what_one_does(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    spawn = multiprocessing.get_context("spawn")
    many = [spawn.Process(target=train, args=(rank, 2, port, str(tmp_path))) for rank in range(2)]
    for process in many:
        process.start()
    train(0, 1, port, str(tmp_path))
    for process in many:
        process.join(120)
        assert process.exitcode == 0
    alone = load_file(tmp_path / "1-0.safetensors")
    assert alone["losses"][-1] < 0.98 * alone["losses"][0]
    first, second = (load_file(tmp_path / f"2-{rank}.safetensors") for rank in range(2))
    assert all(torch.allclose(alone[name], first[name], atol=1e-4) for name in alone)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("items", [1, 2, 7, 64])
@pytest.mark.parametrize("size", [2, 3, 8])
def test_every_item_of_a_batch_goes_to_one_process(items: int, size: int) -> None:
    batch = Batch({"a": torch.arange(items)}, torch.arange(items) * 2, torch.arange(items) * 3)
    parts = [part for rank in range(size) if (part := Group(rank, size).part(batch))]
    assert torch.equal(torch.cat([part.inputs["a"] for part in parts]), batch.inputs["a"])
    assert torch.equal(torch.cat([part.targets for part in parts]), batch.targets)
    assert torch.equal(torch.cat([part.index for part in parts]), batch.index)
    sizes = [len(part.index) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_processes_draw_different_numbers_inside_and_the_same_afterwards() -> None:
    inside, after = [], []
    for rank in (0, 1):
        torch.default_generator.manual_seed(5)
        with Group(rank, 2).own_random_numbers(torch.device("cpu")):
            inside.append(torch.rand(4))
        after.append(torch.rand(4))
    assert not torch.equal(*inside)
    assert torch.equal(*after)


def test_a_process_of_its_own_is_in_no_group() -> None:
    assert Group.current() is None

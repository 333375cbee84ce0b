"""`recipe.check`: planted faults speak with their cause, healthy twins are silent, and nothing is raised or changed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

import recipe
from recipe.checking import RUNS, checks_of_a_batch


def batch(items: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.randn(items, 6, generator=torch.Generator().manual_seed(0))
    return inputs, inputs[:, :4].argmax(dim=1)


def net(*last: nn.Module) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 4), *last)


class MixesTheBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = net()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x - x.mean(dim=0))


class ForgetsItsLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(6, 64)]
        self.head = nn.Linear(64, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers[0](x).relu())


class Raises(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError("no such shape")


def test_a_healthy_net_is_silent_and_stays_as_it_is():
    model, given = net(), batch()
    before = [p.clone() for p in model.parameters()]
    state = torch.random.get_rng_state()
    told = recipe.check(model, nn.CrossEntropyLoss(), given)
    assert (told.verdict, told.failed, told.warned) == ("pass", (), ())
    assert {one.id for one in told} == {one.id for one in checks_of_a_batch()}
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert model.training
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("model", "loss", "id", "cause"),
    [
        (net(nn.Softmax(dim=1)), nn.CrossEntropyLoss(), "outputs-fit-the-loss", "softmax-before-cross-entropy"),
        (net(), nn.CrossEntropyLoss(reduction="sum"), "loss-is-a-mean", "loss-is-a-sum"),
        (MixesTheBatch(), nn.CrossEntropyLoss(), "examples-stay-apart", "batch-mixing"),
        (ForgetsItsLayer(), nn.CrossEntropyLoss(), "parameters-are-registered", "parameters-not-registered"),
    ],
)
def test_a_planted_fault_is_named(model, loss, id, cause):
    told = recipe.check(model, loss, batch(), only=[id])
    assert [one.id for one in told] == [id]
    assert told[id].verdict in ("fail", "warn")
    assert told[id].cause == cause, told[id]


def test_a_factory_gets_the_facts_that_its_signature_asks_for():
    def factory(input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(*input_shape, 64), nn.ReLU(), nn.Linear(64, num_outputs))

    assert recipe.check(factory, None, batch(), only=["init-loss"]).verdict == "pass"


def test_an_error_of_theirs_is_a_finding_with_its_frame():
    told = recipe.check(Raises(), nn.CrossEntropyLoss(), batch())
    assert [one.id for one in told] == [RUNS]
    assert "ValueError: no such shape" in told[RUNS].message
    assert "test_checking.py" in told[RUNS].where
    assert "model-runs" in str(told)


def test_outputs_of_another_shape_are_a_finding_with_both_shapes():
    told = recipe.check(nn.Linear(6, 2), nn.MSELoss(), (torch.randn(32, 6), torch.randn(32, 3)))
    assert told.verdict == "fail"
    assert "(32, 2)" in told[RUNS].message
    assert "(32, 3)" in told[RUNS].message


def test_other_tasks_are_told_by_the_targets():
    inputs = torch.randn(48, 6, generator=torch.Generator().manual_seed(1))
    regression = recipe.check(nn.Sequential(nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 1)), nn.MSELoss(),
                              (inputs, inputs[:, :1].sin()), only=["init-loss", "outputs-vary"])  # fmt: skip
    assert regression["outputs-vary"].verdict == "pass"
    tokens = torch.randint(0, 7, (32, 9), generator=torch.Generator().manual_seed(2))

    class Ahead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.rnn = nn.Embedding(7, 16), nn.GRU(16, 16, batch_first=True, bidirectional=True)
            self.head = nn.Linear(32, 7)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(self.table(x))[0])

    loss = nn.CrossEntropyLoss()
    told = recipe.check(Ahead(), loss, (tokens[:, :-1], tokens[:, 1:]), only=["nothing-later-is-seen"])
    assert told["nothing-later-is-seen"].verdict == "fail"
    mirrored = recipe.check(nn.Linear(6, 6), nn.MSELoss(), (inputs, inputs), only=["outputs-vary"])
    assert mirrored.verdict == "pass"


def test_what_was_skipped_says_why_and_unknown_names_are_refused():
    told = recipe.check(net(), nn.CrossEntropyLoss(), batch(), only=["init-loss"], skip={"init-loss": "trained"})
    assert told["init-loss"].reason == "switched off: trained"
    with pytest.raises(TypeError, match="no check 'init-los'"):
        recipe.check(net(), nn.CrossEntropyLoss(), batch(), only=["init-los"])
    with pytest.raises(TypeError, match="a pair"):
        recipe.check(net(), nn.CrossEntropyLoss(), batch()[0])
    with pytest.raises(KeyError, match="init-loss"):
        told["init-los"]


def test_importing_recipe_imports_nothing():
    code = "import sys, recipe; recipe.__dir__(); print([m for m in ('torch', 'hydra', 'msgspec') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="nonsense"):
        recipe.nonsense  # noqa: B018

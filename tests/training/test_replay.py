"""When a step is recorded, and when not; the recording itself is a GPU's (tests/test_cuda.py)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from recipe.training import replay
from recipe.training.replay import WARM_UP, Replay
from recipe.tree import Tree


class Played:
    """Stands for a recording: calls the function, and says how often one was made."""

    made = 0

    def __init__(self, function: Callable[[Tree, Tensor], Tensor], inputs: Tree, targets: Tensor) -> None:
        type(self).made += 1
        self._function = function

    def __call__(self, inputs: Tree, targets: Tensor) -> Tensor:
        """Another result than the function's, to be told apart."""
        return -self._function(inputs, targets)


@pytest.fixture(autouse=True)
def recording(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a processor nothing can be recorded."""
    Played.made = 0
    monkeypatch.setattr(replay, "Recording", Played)


def total(inputs: Tree, targets: Tensor) -> Tensor:
    assert isinstance(inputs, Tensor)
    return inputs.sum() + targets.sum()


def test_a_step_is_recorded_after_the_warm_up_and_then_only_played() -> None:
    step = Replay()
    found = [float(step(total, torch.full((2,), float(i)), torch.ones(2))) for i in range(WARM_UP + 3)]
    assert found == [2.0 * i + 2 for i in range(WARM_UP)] + [-(2.0 * i + 2) for i in range(WARM_UP, WARM_UP + 3)]
    assert Played.made == 1


def test_batches_of_another_shape_are_recorded_for_themselves() -> None:
    step = Replay()
    for _ in range(WARM_UP + 1):
        step(total, torch.ones(4), torch.ones(4))
    assert float(step(total, torch.ones(3), torch.ones(3))) == 6
    assert Played.made == 1
    for _ in range(WARM_UP):
        last = step(total, torch.ones(3), torch.ones(3))
    assert float(last) == -6
    assert Played.made == 2


def test_what_lies_elsewhere_is_recorded_anew() -> None:
    step = Replay()
    for _ in range(WARM_UP + 1):
        step(total, torch.ones(1), torch.ones(1))
    step.forget()
    assert float(step(total, torch.ones(1), torch.ones(1))) == 2


def test_a_function_that_counts_its_calls_is_not_recorded() -> None:
    calls = []

    def counted(inputs: Tree, targets: Tensor) -> Tensor:
        calls.append(1)
        return total(inputs, targets)

    step = Replay(lambda: len(calls))
    assert all(float(step(counted, torch.ones(1), torch.ones(1))) == 2 for _ in range(WARM_UP + 3))
    assert Played.made == 0
    assert "Python" in step.refused


def test_what_cannot_be_recorded_is_run_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    monkeypatch.setattr(replay, "Recording", refused)
    step = Replay()
    assert all(float(step(total, torch.ones(1), torch.ones(1))) == 2 for _ in range(WARM_UP + 3))
    assert step.refused == "RuntimeError: operation not permitted when stream is capturing"

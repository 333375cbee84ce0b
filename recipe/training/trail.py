"""What a run leaves on its way beside its last weights: averages of them, and snapshots; each exact after a resume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recipe.training.checkpoint import save_weights
from recipe.training.learner import Learner

# Moving averages reach back over these shares of the run.
REACHES = {"ema 2 %": 0.02, "ema 10 %": 0.10}
# Plain means: of how many weights, evenly spaced over which last part of the run.
MEANS = {"swa": (25, 0.25), "last checkpoints": (5, 0.10)}
KINDS = (*REACHES, *MEANS)


class Trail:
    """Watches a run of `steps` steps and averages its floating-point weights and buffers in several ways.

    swa: the plain mean over the last quarter (Izmailov et al. 2018). last checkpoints: the mean of five, over the last
    tenth (Vaswani et al. 2017). ema: exponential moving averages (Polyak and Juditsky 1992), with a reach in the run's
    own length, so that short runs and long ones mean the same by it.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.moving: dict[str, list[Tensor]] = {}
        self.means: dict[str, list[Tensor]] = {}
        self.counts = dict.fromkeys(MEANS, 0)
        self._loaded = False
        self._decays = {name: math.exp(-1 / max(1.0, share * steps)) for name, share in REACHES.items()}
        self._due = {name: due(steps, *spacing) for name, spacing in MEANS.items()}

    def after_backward(self, step: int, learner: Learner) -> None:
        """Nothing to see."""

    @torch.no_grad()
    def after_step(self, step: int, learner: Learner) -> None:
        """Takes in the weights after the step."""
        live = _floating(learner.model)
        if not self.moving:
            self.moving = {name: _copies(live) for name in REACHES}
        if self._loaded:
            # A checkpoint is read into main memory.
            self.moving, self.means = (
                {n: _beside(live, t) for n, t in kept.items()} for kept in (self.moving, self.means)
            )
            self._loaded = False
        for name, tensors in self.moving.items():
            # Early on the average is short, so that it does not hold the start of the run.
            keep = min(self._decays[name], (1 + step) / (10 + step))
            torch._foreach_lerp_(tensors, live, 1 - keep)
        for name, steps in self._due.items():
            if step + 1 in steps:
                self.counts[name] += 1
                if name in self.means:
                    torch._foreach_lerp_(self.means[name], live, 1 / self.counts[name])
                else:
                    self.means[name] = _copies(live)

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"moving": self.moving, "means": self.means, "counts": self.counts}

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.moving = {name: list(tensors) for name, tensors in state["moving"].items()}
        self.means = {name: list(tensors) for name, tensors in state["means"].items()}
        self.counts = {name: int(count) for name, count in state["counts"].items()}
        self._loaded = True

    def write(self, folder: Path, model: nn.Module) -> None:
        """Each average as a file of weights; the model is as it was afterwards."""
        live = _floating(model)
        own = _copies(live)
        with torch.no_grad():
            for name, tensors in {**self.moving, **self.means}.items():
                torch._foreach_copy_(live, _beside(live, tensors))
                save_weights(folder / file_of(name), model)
            torch._foreach_copy_(live, own)


class Snapshots:
    """Writes the weights at the end of each of `count` equal parts of a run (Huang et al. 2017, at the end of a cycle).

    A run that goes on from a checkpoint finds those of before on the disk.
    """

    def __init__(self, folder: Path, steps: int, count: int) -> None:
        self._folder = folder
        self._at = {round(steps * part / count): part for part in range(1, count + 1)}

    def after_backward(self, step: int, learner: Learner) -> None:
        """Nothing to see."""

    def after_step(self, step: int, learner: Learner) -> None:
        """Writes, when a part is over."""
        if step + 1 in self._at:
            save_weights(self._folder / snapshot_file(self._at[step + 1]), learner.model)


def due(steps: int, count: int, share: float) -> set[int]:
    """After which steps a mean of `count` weights over the last `share` of a run takes one in; the last is one."""
    apart = max(1, round(share * steps / count))
    return {steps - k * apart for k in range(count) if steps - k * apart > 0}


def file_of(kind: str) -> str:
    """The file of an average, in the folder of its trial."""
    return f"average-{''.join(c if c.isalnum() else '-' for c in kind)}.safetensors"


def snapshot_file(part: int) -> str:
    """The file of a snapshot, in the folder of its trial."""
    return f"snapshot-{part}.safetensors"


def _floating(model: nn.Module) -> list[Tensor]:
    return [t for t in (*model.parameters(), *model.buffers()) if t.is_floating_point()]


def _beside(live: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[Tensor]:
    return [t.to(one.device) for t, one in zip(tensors, live, strict=True)]


def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [t.detach().clone() for t in tensors]

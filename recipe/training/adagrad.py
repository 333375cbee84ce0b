"""Adagrad whose accumulator is reset from time to time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Adagrad

from recipe.record.refusal import Refusal


class AdagradReset(Adagrad):
    """torch's Adagrad; after every `reset_every` steps the sums of squared gradients start anew.

    Without that the rate of a parameter can only shrink, however much is still to be learnt (Duchi et al. 2011). When
    to reset follows from the step count, which is in the optimizer's state: a resumed run does the same.
    """

    def __init__(self, params: Any, lr: float = 1e-2, reset_every: int = 1000, **settings: Any) -> None:
        if reset_every < 1:
            raise Refusal(f"{reset_every} steps", where="optimizer.reset_every", fix="optimizer.reset_every=1000")
        super().__init__(params, lr=lr, **settings)
        self.reset_every = reset_every

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One step, after a reset where one is due."""
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    state = self.state.get(parameter)
                    if state and int(state["step"]) and int(state["step"]) % self.reset_every == 0:
                        state["sum"].fill_(group["initial_accumulator_value"])
        return super().step(closure)

"""One optimizer step for many models at once, each with its own rate, decay and momentum.

torch's optimizers take one rate. Their step is proportional to it, so they are asked for the step at rate 1, which is
then taken at each model's own: what they keep (moments, counts) and how they compute it stays theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from recipe.training.constants import wide
from recipe.training.optimizers import bare_step

PROPORTIONAL = {"Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "SGD"}
"""Optimizers whose step is the rate times something that does not depend on it."""
OWN = {"lr", "weight_decay", "momentum", "shrink", "initial_lr", "params"}
"""Settings that each model may have for itself; all others have to be the same."""
NUMBERS = ("lr", "weight_decay", "shrink", "momentum")


class StackedUpdate:
    """parameters: the stacked ones, (K, ...), in the order in which each model has them. optimizers: the models' own,

    which are never stepped: schedules set their rates, and here they are read.
    """

    def __init__(
        self, parameters: Sequence[Tensor], models: Sequence[nn.Module], optimizers: Sequence[Optimizer]
    ) -> None:
        self._optimizers = list(optimizers)
        # Which group a parameter is in may differ between the models: decay makes two groups of one.
        patterns = list(zip(*map(_groups, models, optimizers), strict=True))
        self._patterns = list(dict.fromkeys(patterns))
        self._column = [self._patterns.index(pattern) for pattern in patterns]
        self._steps = [torch.zeros_like(p) for p in parameters]
        kind = type(optimizers[0]).__name__
        self._own_momentum = kind == "SGD" and len({_momenta(one) for one in optimizers}) > 1
        self._decoupled = kind == "AdamW" or bool(optimizers[0].defaults.get("decoupled_weight_decay"))
        self._inner = self._make(optimizers[0])
        self.in_tensors = kind == "SGD" or all(group.get("capturable") for group in self._inner.param_groups)
        self._update = bare_step(self._inner)
        self._told: list[list[list[float]]] = []
        self._some: list[list[bool]] = []
        self._numbers = torch.empty(0)

    def read(self) -> bool:
        """Looks at the rates, decays and momenta of the models' own optimizers; whether a step takes another course.

        They lie in one tensor (columns of parameters, 4, K), which keeps its place on the device.
        """
        told = [
            [[float(group.get(key) or 0.0) for key in NUMBERS] for group in one.param_groups]
            for one in self._optimizers
        ]
        if told == self._told:
            return False
        columns = [
            [told[k][group] if group >= 0 else [0.0] * len(NUMBERS) for k, group in enumerate(pattern)]
            for pattern in self._patterns
        ]
        some = [[any(row[i] for row in column) for i in range(len(NUMBERS))] for column in columns]
        numbers = torch.tensor(columns, dtype=torch.float32).transpose(1, 2).contiguous()
        another = not self._told or some != self._some
        if not self._told:
            self._numbers = numbers.to(self._steps[0].device)
        else:
            self._numbers.copy_(numbers)
        self._told, self._some = told, some
        return another

    @torch.no_grad()
    def step(self, parameters: Sequence[Tensor], alive: Tensor | None = None) -> None:
        """Updates the parameters that have gradients, with the numbers that were last read.

        alive: (K) bool; the weights of the others stay as they are.
        """
        numbers = self._numbers
        for step in self._steps:
            step.grad = None
        moving = [
            (p, s, g) for p, s, g in zip(parameters, self._steps, self._column, strict=True) if p.grad is not None
        ]
        for parameter, step, place in moving:
            rate, decay, shrink, _ = numbers[place]
            if alive is not None:
                rate = rate * alive
            if self._some[place][2]:
                parameter.mul_(wide(1 - rate * shrink, parameter))
            if self._some[place][1] and self._decoupled:
                parameter.mul_(wide(1 - rate * decay, parameter))
            elif self._some[place][1]:
                parameter.grad.addcmul_(parameter, wide(decay, parameter))  # type: ignore[union-attr]
            step.grad = parameter.grad
        if self._own_momentum:
            self._with_momenta(moving, numbers)
        self._update()
        for parameter, step, place in moving:
            if alive is not None:
                step.nan_to_num_(0.0, 0.0, 0.0)
                parameter.addcmul_(step, wide(numbers[place][0] * alive, parameter))
            else:
                parameter.addcmul_(step, wide(numbers[place][0], parameter))
        torch._foreach_zero_([step for _, step, _ in moving])

    def keep(self, places: Sequence[int]) -> None:
        """Only these models go on: what the optimizer keeps of the others is let go."""
        index = torch.tensor(list(places), device=self._steps[0].device)
        self._optimizers = [self._optimizers[place] for place in places]
        self._patterns = [tuple(pattern[place] for place in places) for pattern in self._patterns]
        state = dict(self._inner.state)
        old, self._steps = self._steps, [step.index_select(0, index) for step in self._steps]
        self._inner = self._make(self._optimizers[0])
        for before, after in zip(old, self._steps, strict=True):
            for key, value in state.get(before, {}).items():
                per_model = isinstance(value, Tensor) and value.shape == before.shape
                self._inner.state[after][key] = value.index_select(0, index) if per_model else value
        self._update = bare_step(self._inner)
        self._told = []

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        state: dict[str, Any] = self._inner.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        self._inner.load_state_dict(state)

    def _make(self, like: Optimizer) -> Optimizer:
        """The same optimizer over the steps, at rate 1 and without decay, which is ours."""
        groups = []
        for number, pattern in enumerate(self._patterns):
            if pattern[0] < 0:  # not trained
                continue
            group = like.param_groups[pattern[0]]
            settings = {key: value for key, value in group.items() if key not in OWN}
            if "momentum" in group:
                settings["momentum"] = 0.0 if self._own_momentum else group["momentum"]
            if self._own_momentum:
                settings["nesterov"] = False
            steps = [s for s, column in zip(self._steps, self._column, strict=True) if column == number]
            if "capturable" in group:
                settings["capturable"] = self._steps[0].device.type == "cuda"
            groups.append({"params": steps, **settings, "lr": 1.0, "weight_decay": 0.0})
        made: Optimizer = type(like)(groups, lr=1.0, weight_decay=0.0)  # type: ignore[call-arg]
        return made

    def _with_momenta(self, moving: Sequence[tuple[Tensor, Tensor, int]], numbers: Tensor) -> None:
        """SGD's momentum, one for each model: b = m·b + g; Nesterov steps along g + m·b."""
        for _, step, place in moving:
            state, gradient, group = self._inner.state[step], step.grad, self._group(place)
            assert gradient is not None
            momentum = wide(numbers[place][3], gradient)
            if "velocity" not in state:
                state["velocity"] = gradient.clone()
            else:
                state["velocity"].mul_(momentum).add_(gradient, alpha=1 - group["dampening"])
            velocity = state["velocity"]
            step.grad = gradient + momentum * velocity if group["nesterov"] else velocity.clone()

    def _group(self, column: int) -> dict[str, Any]:
        group: dict[str, Any] = self._optimizers[0].param_groups[self._patterns[column][0]]
        return group


def settings_of(optimizer: Optimizer) -> tuple[Any, ...]:
    """What has to be the same for two models to be stepped together."""
    groups = [{k: v for k, v in group.items() if k not in OWN} for group in optimizer.param_groups]
    told = [tuple(sorted((key, str(value)) for key, value in group.items())) for group in groups]
    return (type(optimizer).__qualname__, tuple(told if len(set(told)) > 1 else told[:1]))


def _groups(model: nn.Module, optimizer: Optimizer) -> list[int]:
    """Of each parameter the number of its group; -1 for what is not trained."""
    places = {id(p): number for number, group in enumerate(optimizer.param_groups) for p in group["params"]}
    return [places.get(id(parameter), -1) for parameter in model.parameters()]


def _momenta(optimizer: Optimizer) -> tuple[float, ...]:
    return tuple(group["momentum"] for group in optimizer.param_groups)

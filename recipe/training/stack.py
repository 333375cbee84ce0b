"""Many models of one structure as one: every weight a tensor with the models as its first dimension.

Each model's own parameters become views into the stack, so that whoever reads, keeps or averages a single model need
not know that it does not stand alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from recipe.record.refusal import Refusal
from recipe.training.stacked_draws import Draws
from recipe.tree import Tree


class Stack:
    """models: alike but for their numbers. draws: the random numbers of each, which go where the models drop units."""

    def __init__(self, models: Sequence[nn.Module], draws: Draws) -> None:
        self.models, self.draws = list(models), draws
        first = self.models[0]
        self.names = [name for name, _ in first.named_parameters()]
        self.trained = [parameter.requires_grad for _, parameter in first.named_parameters()]
        self._buffers = [name for name, _ in first.named_buffers()]
        self._template = draws.fit(copy.deepcopy(first), self.models)
        self.parameters: list[Tensor] = []
        self.buffers: list[Tensor] = []
        self._bind(
            [torch.stack(columns) for columns in zip(*map(_weights, self.models), strict=True)],
            [torch.stack(columns) for columns in zip(*(m.buffers() for m in self.models), strict=True)],
        )

    def __len__(self) -> int:
        return len(self.models)

    def forward(self, inputs: Tree, *, shared: bool) -> Any:
        """Outputs (K, B, ...) of inputs (K, B, ...), or of the same (B, ...) for all. Gradients go into the stack."""
        return self._mapped(0, None if shared else 0)(self._named(), self._marks(), inputs)

    def evaluate(self, inputs: Tree) -> Any:
        """Outputs (K, B, ...) in evaluation mode, without gradients, of the same inputs (B, ...) for all."""
        self._template.eval()
        try:
            with torch.no_grad():
                return self._mapped(0, None)(self._named(), self._marks(), inputs)
        finally:
            self._template.train()

    def python(self) -> list[dict[str, Any]]:
        """What the modules keep beside tensors: numbers and words."""
        plain = (bool, int, float, str)
        return [
            {key: value for key, value in vars(module).items() if isinstance(value, plain)}
            for module in self._template.modules()
        ]

    def keep(self, places: Sequence[int]) -> None:
        """Only these models go on; the others take their weights with them."""
        for place in set(range(len(self))) - set(places):
            _give_back(self.models[place])
        index = torch.tensor(list(places), device=self.parameters[0].device)
        self.models = [self.models[place] for place in places]
        self.draws.keep(places)
        self._bind(
            [tensor.detach().index_select(0, index) for tensor in self.parameters],
            [tensor.index_select(0, index) for tensor in self.buffers],
        )

    def release(self) -> None:
        """Every model owns its weights again."""
        for model in self.models:
            _give_back(model)

    def state_dict(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return dict(zip([*self.names, *self._buffers], [*self.parameters, *self.buffers], strict=True))

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """In place: the models see it. Raises RuntimeError when the shapes do not fit."""
        with torch.no_grad():
            for own, saved in zip([*self.parameters, *self.buffers], state.values(), strict=True):
                own.copy_(saved)

    def _mapped(self, models: int, inputs: int | None) -> Callable[..., Any]:
        def one(state: dict[str, Tensor], mark: Tensor, given: Tree) -> Any:
            self.draws.mark = mark
            return functional_call(self._template, state, (given,))

        return vmap(one, in_dims=(models, models, inputs))

    def _named(self) -> dict[str, Tensor]:
        return self.state_dict()

    def _marks(self) -> Tensor:
        return torch.empty(len(self), device=self.parameters[0].device)

    def _bind(self, parameters: Sequence[Tensor], buffers: Sequence[Tensor]) -> None:
        self.parameters = [t.requires_grad_(on) for t, on in zip(parameters, self.trained, strict=True)]
        self.buffers = list(buffers)
        for place, model in enumerate(self.models):
            stacked = [*self.parameters, *self.buffers]
            for own, tensor in zip((*model.parameters(), *model.buffers()), stacked, strict=True):
                own.data = tensor.detach()[place]


def structure_of(model: nn.Module) -> str:
    """Equal for models that can be stacked: modules, names, shapes and hooks; the shares of dropout do not count."""
    modules = [
        f"{name}:{type(module).__qualname__}({_plain(module)}){len(module._forward_pre_hooks)}{len(module._forward_hooks)}"
        for name, module in model.named_modules()
    ]
    tensors = [
        f"{name}:{tuple(t.shape)}{t.dtype}{t.requires_grad}"
        for name, t in [*model.named_parameters(), *model.named_buffers()]
    ]
    return "\n".join([*modules, *tensors])


def refuse_unlike(models: Sequence[nn.Module]) -> None:
    """Refusal for models that cannot be one."""
    if len({structure_of(model) for model in models}) != 1:
        raise Refusal("models of different structure make no stack", where="model", fix="engine.stacked=false")


def _plain(module: nn.Module) -> str:
    """The module's own settings as its repr tells them: what a dropout leaves out is a number, not structure."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return ""
    return module.extra_repr()


def _weights(model: nn.Module) -> list[Tensor]:
    return [parameter.detach() for parameter in model.parameters()]


def _give_back(model: nn.Module) -> None:
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = tensor.detach().clone()

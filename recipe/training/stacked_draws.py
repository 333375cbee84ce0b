"""The random numbers of stacked models: each draws its own, by (its seed, step), as it would alone.

On a CPU they are the very numbers of the single run, drawn from one generator a model. On a device, where a call costs
more than what it computes, they come from a counter instead: as good, but others than those of the single run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from recipe.training.constants import Constants
from recipe.training.counter import normal, uniform
from recipe.training.dropouts import InputDropout
from recipe.training.seeding import Counter

WHOLE_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class Draws:
    """seeds: of the steps of each model, as `fit` has them."""

    def __init__(self, seeds: Sequence[int], device: torch.device, constants: Constants) -> None:
        self.device, self._constants = device, constants
        self._counts = [Counter(seed, "step") for seed in seeds]
        self._generators = [torch.Generator() for _ in seeds]
        self._keys = torch.zeros(len(seeds), dtype=torch.int64, device=device)
        self._places: list[Place] = []
        self._drawn = 0
        # Something that differs between the models: what is not mapped over would not reach `Thinned.vmap`.
        self.mark = torch.empty(0)
        self.needed = False

    def fit(self, template: nn.Module, models: Sequence[nn.Module]) -> nn.Module:
        """Puts our dropout in place of each of the template's; every model keeps its own share."""
        for name, module in template.named_modules():
            twins = [model.get_submodule(name) for model in models]
            if type(module) in (nn.Dropout, *WHOLE_CHANNELS):
                place = self._place([float(cast("float", twin.p)) for twin in twins], type(module) in WHOLE_CHANNELS)
                module.forward = Thin(module, place, self)
            for key, hook in list(module._forward_pre_hooks.items()):
                if isinstance(hook, InputDropout):
                    shares = [cast("InputDropout", twin._forward_pre_hooks[key]).p for twin in twins]
                    module._forward_pre_hooks[key] = Thin(module, self._place(shares, hook.channels), self).of_input
        return template

    def step(self, step: int) -> None:
        """Random numbers start anew with every step."""
        if not self.needed:
            return
        seeds = [count(step) for count in self._counts]
        if self.device.type == "cpu":
            for generator, seed in zip(self._generators, seeds, strict=True):
                generator.manual_seed(seed)
        else:
            self._keys.copy_(torch.tensor(seeds))

    def restart(self) -> None:
        """The first draw of the step is the next."""
        self._drawn = 0

    def keep(self, places: Sequence[int]) -> None:
        """Only these models go on."""
        self._counts = [self._counts[place] for place in places]
        self._keys = self._keys[: len(places)].clone()
        self._generators = [self._generators[place] for place in places]
        for site in self._places:
            site.shares = [site.shares[place] for place in places]

    def masks(self, place: Place, like: Tensor) -> Tensor:
        """(K, B, ...): 0 for what is left out, else 1 / (share that stays), as `F.dropout` multiplies."""
        shape = like.shape[1:3] + (1,) * (like.ndim - 3) if place.channels else like.shape[1:]
        stay = [1 - share for share in place.shares]
        if self.device.type == "cpu":
            masks = like.new_ones((len(stay), *shape))
            for mask, share, generator in zip(masks, stay, self._generators, strict=True):
                if share < 1:
                    mask.bernoulli_(share, generator=generator).div_(share)
            return masks
        self._drawn += 1
        kept = self._constants(stay).view(-1, *[1] * len(shape))
        return (uniform(self._keys, self._drawn, shape) < kept).to(like.dtype) / kept

    def noise(self, like: Tensor, amounts: Sequence[float]) -> Tensor:
        """Normal numbers (K, ...) with these deviations; a model without noise draws none, as when it is alone."""
        if self.device.type == "cpu":
            noise = torch.zeros(like.shape)
            for one, amount, generator in zip(noise, amounts, self._generators, strict=True):
                if amount:
                    one.normal_(generator=generator).mul_(amount)
            return noise
        self._drawn += 1
        return self._constants.wide(amounts, like) * normal(self._keys, self._drawn, like.shape[1:])

    def _place(self, shares: Sequence[float], channels: bool) -> Place:
        place = Place(list(shares), channels)
        self._places.append(place)
        self.needed = self.needed or any(shares)
        return place


class Place:
    """A place in the model at which units (channels) are left out, and the share of them for each model."""

    def __init__(self, shares: list[float], channels: bool) -> None:
        self.shares, self.channels = shares, channels


class Thin:
    """The dropout of all models at one place: instead of a module's forward, or of a hook before it."""

    def __init__(self, module: nn.Module, place: Place, draws: Draws) -> None:
        self._module, self._place, self._draws = module, place, draws

    def __call__(self, x: Tensor) -> Tensor:
        """x: of one model, as vmap shows it."""
        if not self._module.training or not any(self._place.shares):
            return x
        thinned: Tensor = Thinned.apply(x, self._draws.mark, self._place, self._draws)
        return thinned

    def of_input(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """As a forward-pre-hook."""
        return (self(args[0]), *args[1:])


class Thinned(torch.autograd.Function):
    """What vmap hides from the model: all models' activations at once, and with them whose random numbers are whose."""

    @staticmethod
    def forward(x: Tensor, _mark: Tensor, _place: Place, _draws: Draws) -> Tensor:
        """Of a single model: never called, as `mark` is mapped over."""
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing to remember."""

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:  # noqa: ARG004
        """Of a single model."""
        return gradients[0], None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Tensor, _mark: Tensor, place: Place, draws: Draws) -> tuple[Tensor, int]:
        """x (K, B, ...) with the models where in_dims says, or (B, ...) for all."""
        every = x.expand(info.batch_size, *x.shape) if in_dims[0] is None else x.movedim(in_dims[0], 0)
        return every * draws.masks(place, every), 0

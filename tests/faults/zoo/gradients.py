"""Backward passes that are wrong though training goes on, and some that only look as if they were."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from .models import Host


class _Square(torch.autograd.Function):
    """Its backward has lost the factor 2."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * x


class _Swish(torch.autograd.Function):
    """By hand, and right."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return gradient * (s + x * s * (1 - s))


class Squares(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return _Square.apply(x)


class HalfGradient(Host):
    """A layer of the user's own whose backward forgets a factor."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), 64), Squares(), nn.Linear(64, 64))


class NormWithoutGradient(Host):
    """Layer norm by hand, its statistics under no_grad."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.body(x)
        with torch.no_grad():
            mean, std = hidden.mean(1, keepdim=True), hidden.std(1, keepdim=True)
        return self.head((hidden - mean) / (std + 1e-5))


class ScalesBehindTheBack(Host):
    """Multiplies .data in place, which backpropagation does not see."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.body(x)
        hidden.data.mul_(0.5)
        return self.head(hidden)


class SwishByHand(Host):
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), 64))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(_Swish.apply(self.body(x)))


class Checkpointed(Host):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(checkpoint(self.body, x, use_reentrant=False))


class SpectralNorm(Host):
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        nn.utils.parametrizations.spectral_norm(self.body[1])


class MaxOut(Host):
    """Kinks everywhere: a maximum of two, and a hard clip."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.body(x)
        return self.head(torch.maximum(hidden[:, ::2], hidden[:, 1::2]).clamp(-1, 1).repeat(1, 2).abs())


def cross_entropy_by_hand(outputs: Tensor, targets: Tensor) -> Tensor:
    """The maximum that is taken off is detached, as it may be."""
    scores = outputs - outputs.max(dim=1, keepdim=True).values.detach()
    return (scores.exp().sum(1).log() - scores.gather(1, targets[:, None])[:, 0]).mean()


def cross_entropy_detached(outputs: Tensor, targets: Tensor) -> Tensor:
    """The normaliser is detached, so that scores are only ever pushed up."""
    normaliser = outputs.logsumexp(1).detach()
    return (normaliser - outputs.gather(1, targets[:, None])[:, 0]).mean()


class _Forgets(torch.autograd.Function):
    """Cross-entropy whose backward forgets to divide by the number of items."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, targets: Tensor) -> Tensor:
        ctx.save_for_backward(outputs, targets)
        return F.cross_entropy(outputs, targets)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        outputs, targets = ctx.saved_tensors
        one_hot = F.one_hot(targets, outputs.shape[1]).to(outputs.dtype)
        return gradient * (outputs.softmax(1) - one_hot), None


def cross_entropy_forgets(outputs: Tensor, targets: Tensor) -> Tensor:
    return _Forgets.apply(outputs, targets)


class CoarseInside(Host):
    """Goes down to float32 in the middle, as some norms and softmaxes do."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.body(x)
        return self.head(hidden.float().softmax(1).to(hidden.dtype))

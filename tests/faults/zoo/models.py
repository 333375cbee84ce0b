"""Nets with one planted bug each, on a small host for 8 x 8 pictures; `Host` is their healthy twin."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Host(nn.Module):
    """Flatten, one hidden layer, one head."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, width: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), width), nn.ReLU())
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class SmallConv(nn.Module):
    """Two convolutions with batch norm, a head on the mean over positions."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, momentum: float | None = 0.1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(input_shape[0], 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16, momentum=momentum),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32, momentum=momentum),
            nn.ReLU(),
        )
        self.head = nn.Linear(32 * 16, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).flatten(1))


class SoftmaxHead(Host):  # M01
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(dim=1)


class SoftmaxOverBatch(Host):  # M04
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(dim=0)


class ThousandOutputs(Host):  # M05
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, 1000)


class SoftmaxOverOneUnit(Host):  # M06
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(dim=1)


class SigmoidHead(Host):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).sigmoid()


class ReluHead(Host):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


class NoActivations(Host):  # M07
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        size = math.prod(input_shape)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(size, 64), nn.Linear(64, 64))


class HiddenSoftmax(Host):  # M08
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        layers: list[nn.Module] = [nn.Flatten(), nn.Linear(math.prod(input_shape), 64), nn.Softmax(1)]
        self.body = nn.Sequential(*layers, nn.Linear(64, 64), nn.Softmax(1))


class DeepSigmoid(Host):  # M09
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        layers: list[nn.Module] = [nn.Flatten(), nn.Linear(math.prod(input_shape), 64), nn.Sigmoid()]
        for _ in range(7):
            layers += [nn.Linear(64, 64), nn.Sigmoid()]
        self.body = nn.Sequential(*layers)


class DeadUnits(Host):  # M11
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, bias: float = -5.0) -> None:
        super().__init__(input_shape, num_outputs)
        nn.init.constant_(self.body[1].bias, bias)


class ZeroWeights(Host):  # M12
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, value: float = 0.0) -> None:
        super().__init__(input_shape, num_outputs)
        for parameter in self.parameters():
            nn.init.constant_(parameter, value)


class HugeWeights(Host):  # M14
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=5)


class StrongDropout(Host):  # M15
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, p: float = 0.9) -> None:
        super().__init__(input_shape, num_outputs)
        self.body.append(nn.Dropout(p))


class DropoutIgnoresEval(Host):  # M16
    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.dropout(self.body(x), 0.5))


class ViewMixesBatch(Host):  # M20
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.body(x)
        return self.head(hidden.t().contiguous().view(hidden.shape))


class Detached(Host):  # M22
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).detach())


class Frozen(Host):  # M23, and H16 where it is declared
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        for parameter in self.body.parameters():
            parameter.requires_grad = False


class PlainList(nn.Module):  # M24
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        self.layers = [nn.Linear(math.prod(input_shape), 64), nn.Linear(64, 64)]
        self.head = nn.Linear(64, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer in self.layers:
            x = layer(x).relu()
        return self.head(x)


class IgnoresInput(Host):  # M25
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * 0)


class AlwaysTrains(SmallConv):  # M28
    def train(self, mode: bool = True) -> AlwaysTrains:
        super().train(True)
        return self


class UsesHalf(Host):
    """Half of the pixels do not reach the net."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.cat([x[:, :, :3], torch.zeros_like(x[:, :, 3:])], dim=2))


class DropsDimension(Host):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).squeeze(1)


class LogSoftmaxHead(Host):  # H06, H07
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).log_softmax(dim=1)


class PriorInBias(Host):  # H11, H12, H15
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, bias: Any = 0.0) -> None:
        super().__init__(input_shape, num_outputs)
        with torch.no_grad():
            self.head.bias.copy_(torch.as_tensor(bias).expand(num_outputs))


class RowGru(nn.Module):  # H21
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        self.gru = nn.GRU(input_shape[-1], 64, batch_first=True)
        self.head = nn.Linear(64, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.gru(x.flatten(1, 2))[0][:, -1])


class TinyVit(nn.Module):  # H20
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, width: int = 64) -> None:
        super().__init__()
        self.patches = nn.Conv2d(input_shape[0], width, 2, stride=2)
        self.places = nn.Parameter(torch.zeros(1, 16, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.places
        return self.head(self.encoder(tokens).mean(dim=1))


class SelfNormalizing(nn.Module):  # H23
    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        size = math.prod(input_shape)
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(size, 64),
            nn.SELU(),
            nn.AlphaDropout(0.1),
            nn.Linear(64, 64),
            nn.SELU(),
            nn.Linear(64, num_outputs),
        )
        for module in self.net:
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear")

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Squeezes(Host):
    """Drops the batch axis of a single item."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).squeeze()


class Overflows(Host):
    """Activations beyond 65,504, which float32 holds and half precision does not."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.body(x)
        return self.head((hidden * 1e6) @ torch.eye(hidden.shape[1])) / 1e6


class CancelsItself(Host):
    """The difference of two large numbers, of which eight bits leave nothing."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        self.large = nn.Linear(num_outputs, num_outputs, bias=False)
        nn.init.eye_(self.large.weight)

    def forward(self, x: Tensor) -> Tensor:
        scores = super().forward(x)
        return self.large(scores + 1000) - 1000


class Explodes(nn.Module):
    """A deep stack whose weights are three times too large."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, depth: int = 8) -> None:
        super().__init__()
        self.first = nn.Linear(math.prod(input_shape), 64)
        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(depth))
        self.head = nn.Linear(64, num_outputs)
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.weight)
            layer.weight.data.mul_(3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.flatten(1)).relu()
        for layer in self.layers:
            x = layer(x).relu()
        return self.head(x)


class SaturatedTanh(Host):
    """Large weights before a tanh, called as a function."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), 64))
        nn.init.normal_(self.body[1].weight, std=4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.body(x)))


class Own(nn.Module):
    """A layer of the user's own, with its weights in a parameter."""

    def __init__(self, size: int, width: int, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((size, width), value))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


class Twins(nn.Module):
    """Equal weights in a layer that is none of torch's, behind a head of equal weights."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        self.body = Own(math.prod(input_shape), 64, 0.02)
        self.head = Own(64, num_outputs, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x.flatten(1)).relu())

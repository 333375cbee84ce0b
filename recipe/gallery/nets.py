"""Nets with one planted fault each; `hosts.Net` is their healthy twin. Numbers are those of the published list."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recipe.gallery.hosts import WIDTH, Net

Shape = tuple[int, ...]


class SoftmaxHead(Net):
    """M01 softmax before cross-entropy."""

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities where scores are asked for."""
        return super().forward(x).softmax(dim=1)


class SoftmaxOverBatch(Net):
    """M04 softmax over the batch axis."""

    def forward(self, x: Tensor) -> Tensor:
        """Each column sums to one."""
        return super().forward(x).softmax(dim=0)


class ThousandOutputs(Net):
    """M05 the head of another task is kept."""

    def __init__(self, input_shape: Shape, num_outputs: int, width: int = 1000) -> None:
        super().__init__(input_shape, max(width, num_outputs + 1))


class SoftmaxOverOneUnit(Net):
    """M06 softmax over the single unit of a binary task."""

    def forward(self, x: Tensor) -> Tensor:
        """Always one."""
        return super().forward(x).softmax(dim=1)


class NoActivations(Net):
    """M07 all activations are missing."""

    def __init__(self, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        self.encoder = nn.Sequential(nn.Flatten(), nn.LazyLinear(WIDTH))
        self.encoder(torch.zeros(1, *input_shape))
        self.hidden = nn.Linear(WIDTH, WIDTH)


class HiddenSoftmax(Net):
    """M08 softmax as hidden activation."""

    def __init__(self, input_shape: Shape, num_outputs: int, layers: int = 2) -> None:
        super().__init__(input_shape, num_outputs)
        self.hidden = nn.Sequential(*(m for _ in range(layers) for m in (nn.Linear(WIDTH, WIDTH), nn.Softmax(dim=1))))


class DeepSigmoid(Net):
    """M09 a deep stack of saturating sigmoids."""

    def __init__(self, input_shape: Shape, num_outputs: int, layers: int = 8) -> None:
        super().__init__(input_shape, num_outputs)
        self.hidden = nn.Sequential(*(m for _ in range(layers) for m in (nn.Linear(WIDTH, WIDTH), nn.Sigmoid())))


class DeadUnits(Net):
    """M11 the hidden layer's biases keep its units silent."""

    def __init__(self, input_shape: Shape, num_outputs: int, bias: float = -5.0) -> None:
        super().__init__(input_shape, num_outputs)
        nn.init.constant_(self.hidden[0].bias, bias)  # type: ignore[index]


class ConstantWeights(Net):
    """M12 every weight has the same value."""

    def __init__(self, input_shape: Shape, num_outputs: int, value: float = 0.0) -> None:
        super().__init__(input_shape, num_outputs)
        for parameter in self.parameters():
            nn.init.constant_(parameter, value)


class HugeWeights(Net):
    """M14 initial weights far too large."""

    def __init__(self, input_shape: Shape, num_outputs: int, std: float = 5.0) -> None:
        super().__init__(input_shape, num_outputs)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=std)


class StrongDropout(Net):
    """M15 dropout that leaves out most units, after each block."""

    def __init__(self, input_shape: Shape, num_outputs: int, p: float = 0.9) -> None:
        super().__init__(input_shape, num_outputs)
        self.encoder = nn.Sequential(self.encoder, nn.Dropout(p))
        self.hidden = nn.Sequential(self.hidden, nn.Dropout(p))


class DropoutIgnoresEval(Net):
    """M16 dropout that does not know the evaluation mode."""

    def features(self, x: Tensor) -> Tensor:
        """Half of them, at random, always."""
        return F.dropout(super().features(x), 0.5)


class ViewMixesBatch(Net):
    """M20 a view where a permutation was meant."""

    def features(self, x: Tensor) -> Tensor:
        """Each row holds numbers of many examples."""
        hidden = super().features(x)
        return hidden.t().contiguous().view(hidden.shape)


class Detached(Net):
    """M22 the features leave the graph."""

    def features(self, x: Tensor) -> Tensor:
        """Without a way back."""
        return super().features(x).detach()


class Frozen(Net):
    """M23 the body is frozen by accident."""

    def __init__(self, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        for part in (self.encoder, self.hidden):
            for parameter in part.parameters():
                parameter.requires_grad = False


class FrozenFeatures(Frozen):
    """H16 a body of random features that carry the signal (He's rule), which those of torch's own start do not."""

    def __init__(self, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        for part in (*self.encoder.modules(), *self.hidden.modules()):
            if isinstance(part, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")


class PlainList(Net):
    """M24 layers in a Python list, which the module does not register."""

    def __init__(self, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        layers = [nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()]
        del self.hidden
        self.__dict__["layers"] = layers

    def features(self, x: Tensor) -> Tensor:
        """Through the layers of the list."""
        hidden: Tensor = self.encoder(x)
        for layer in self.__dict__["layers"]:
            hidden = layer(hidden)
        return hidden


class IgnoresInput(Net):
    """M25 the input is multiplied by zero."""

    def forward(self, x: Tensor) -> Tensor:
        """The same for every input."""
        return super().forward(x * 0)


class AlwaysTrains(Net):
    """M28 batch norm and dropout stay in train mode."""

    def __init__(self, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs, momentum=0.1)
        self.hidden = nn.Sequential(self.hidden, nn.Dropout(0.3))

    def train(self, mode: bool = True) -> AlwaysTrains:  # noqa: ARG002 - that is the fault
        """Deaf."""
        super().train(True)
        return self


class OneUnit(Net):
    """M30 a hidden layer of one unit."""

    def __init__(self, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(input_shape, num_outputs)
        self.hidden = nn.Sequential(nn.Linear(WIDTH, 1), nn.ReLU())
        self.head = nn.Linear(1, num_outputs)


class LogSoftmaxHead(Net):
    """H06, H07 log-probabilities: right before NLL, harmless before cross-entropy."""

    def forward(self, x: Tensor) -> Tensor:
        """Log-probabilities."""
        return super().forward(x).log_softmax(dim=1)


class PriorInBias(Net):
    """H11, H12, H15 the head starts at what is known of the targets."""

    def __init__(self, input_shape: Shape, num_outputs: int, bias: Any = 0.0) -> None:
        super().__init__(input_shape, num_outputs)
        with torch.no_grad():
            self.head.bias.copy_(torch.as_tensor(bias, dtype=torch.float32).expand(num_outputs))


class TinyVit(nn.Module):
    """H20 a transformer over 2 × 2 patches, or over the steps of a series."""

    def __init__(self, input_shape: Shape, num_outputs: int, width: int = WIDTH) -> None:
        super().__init__()
        picture = len(input_shape) == 3
        tokens = (input_shape[1] // 2) * (input_shape[2] // 2) if picture else input_shape[0]
        self.tokens: nn.Module = (
            nn.Conv2d(input_shape[0], width, 2, stride=2) if picture else nn.Linear(input_shape[-1], width)
        )
        self.places = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, num_outputs) from the mean token."""
        tokens = self.tokens(x)
        tokens = tokens.flatten(2).transpose(1, 2) if tokens.ndim == 4 else tokens
        scores: Tensor = self.head(self.encoder(tokens + self.places).mean(dim=1))
        return scores


class SelfNormalizing(nn.Module):
    """H23 SELU with its own dropout."""

    def __init__(self, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten(), nn.LazyLinear(WIDTH), nn.SELU(), nn.AlphaDropout(0.1)]
        self.net = nn.Sequential(*layers, nn.Linear(WIDTH, WIDTH), nn.SELU(), nn.Linear(WIDTH, num_outputs))
        self.net(torch.zeros(2, *input_shape))
        for module in self.net:
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear")

    def forward(self, x: Tensor) -> Tensor:
        """(B, num_outputs)."""
        scores: Tensor = self.net(x)
        return scores

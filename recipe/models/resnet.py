"""A residual net for small pictures, after He et al. 2016, section 4.2 (CIFAR)."""

from __future__ import annotations

from torch import Tensor, nn

from recipe.models.block import Branch, activation_of, norm_of


class ResNet(nn.Module):
    """Inputs (B, C, H, W) → raw outputs (B, num_outputs), by three stages of `blocks` residual blocks.

    The stages have width, 2·width and 4·width channels.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        width: int = 16,
        blocks: int = 1,
        activation: str = "relu",
        norm: str | None = "batch",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(input_shape) != 3:
            raise ValueError(f"a ResNet needs pictures of shape (C, H, W), not {tuple(input_shape)}")
        first = norm_of(norm, width, dimensions=2)
        layers: list[nn.Module] = [nn.Conv2d(input_shape[0], width, 3, padding=1, bias=first is None)]
        layers += [first] if first is not None else []
        layers += [activation_of(activation)]
        size = width
        for stage in range(3):
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(Residual(size, width * 2**stage, stride, activation, norm))
                size = width * 2**stage
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.head = nn.Linear(size, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        return self.head(self.dropout(self.body(x)))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut, which is a 1×1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, activation: str, norm: str | None) -> None:
        super().__init__()
        bias = norm is None
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)
        self.first_norm = norm_of(norm, outputs, dimensions=2) or nn.Identity()
        self.middle = activation_of(activation)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias)
        self.second_norm = norm_of(norm, outputs, dimensions=2) or nn.Identity()
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=bias)
        self.branch = Branch()
        self.last = activation_of(activation)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H / stride, W / stride)."""
        middle = self.middle(self.first_norm(self.first(x)))
        return self.last(self.branch(self.second_norm(self.second(middle))) + self.shortcut(x))  # type: ignore[no-any-return]

"""The model: any torch.nn.Module that returns raw outputs (logits)."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    """A small ConvNet. `input_shape` and `num_outputs` are filled in from the data; the rest comes from conf/config.yaml."""

    def __init__(self, input_shape: tuple[int, int, int], num_outputs: int, channels: int = 16) -> None:
        super().__init__()
        depth, height, width = input_shape
        self.body = nn.Sequential(
            nn.Conv2d(depth, channels, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(2 * channels * (height // 2) * (width // 2), num_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, num_outputs)."""
        outputs: torch.Tensor = self.head(self.body(x))
        return outputs

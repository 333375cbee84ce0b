"""Digits in four quarters: one small net looks at each quarter, another at what it said of all four."""

import torch
from torch import nn


class Quarters(nn.Module):
    """Pictures (B, 1, 8, 8) to scores (B, num_outputs)."""

    def __init__(self, input_shape, num_outputs, width=32):
        super().__init__()
        channels, height, side = input_shape
        self.size = height // 2
        self.look = nn.Sequential(nn.Flatten(), nn.Linear(channels * self.size * (side // 2), width), nn.ReLU())
        self.say = nn.Sequential(nn.Linear(4 * width, width), nn.ReLU(), nn.Linear(width, num_outputs))

    def forward(self, x):
        s = self.size
        quarters = torch.stack([x[..., :s, :s], x[..., :s, s:], x[..., s:, :s], x[..., s:, s:]])  # (4, B, C, 4, 4)
        seen = self.look(quarters.flatten(0, 1))  # (4 B, width)
        return self.say(self.together(seen, len(x)))

    def together(self, seen, batch):
        """What was seen in the four quarters of each picture, side by side: (B, 4 width)."""
        return seen.view(batch, -1)


class Mended(Quarters):
    """The quarter comes first in `seen`: it has to be carried behind the example, not cut through."""

    def together(self, seen, batch):
        return seen.view(4, batch, -1).transpose(0, 1).flatten(1)

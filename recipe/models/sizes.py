"""Parameters of the standard nets as they are shipped, by formula: no net is built."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod


def linear(numbers: int, outputs: int) -> int:
    """model=linear."""
    return (numbers + 1) * outputs


def mlp(numbers: int, outputs: int, width: int = 256) -> int:
    """model=mlp: two hidden layers."""
    return (numbers + 1) * width + (width + 1) * width + (width + 1) * outputs


def convnet(shape: Sequence[int], outputs: int, *, pool: bool, norm: bool = False) -> int:
    """model=convnet on (C, H, W): 32 and 64 channels, each halving the picture. norm: with model.norm=batch."""
    channels, height, width = shape
    # A norm has two numbers a channel, and takes the place of a bias.
    body = (9 * channels + 1 + norm) * 32 + (9 * 32 + 1 + norm) * 64
    if pool:
        return body + 65 * outputs
    return body + (64 * -(-height // 4) * -(-width // 4) + 1) * 128 + 129 * outputs


def resnet18(channels: int, outputs: int) -> int:
    """model=resnet18, torchvision's: its first layer reads 7 × 7 pixels of each channel."""
    return 11_176_512 + 7 * 7 * 64 * (channels - 3) + 513 * outputs


def word_average(words: int, outputs: int) -> int:
    """model=word_average: vectors of 64 numbers and a hidden layer."""
    return 64 * words + 65 * 64 + 65 * outputs


def gru(outputs: int, *, words: int = 0, features: int = 0) -> int:
    """model=gru: steps of a token (of `words`) or of `features` numbers, 64 wide, and 128 units."""
    reader = 64 * words if words else 64 * (features + 1)
    return reader + 3 * 128 * (64 + 128 + 2) + 129 * outputs


def numbers_of(shapes: Sequence[Sequence[int]]) -> int:
    """Numbers of one input."""
    return sum(prod(shape) for shape in shapes)

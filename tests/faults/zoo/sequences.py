"""Sequences, and nets for them, with one planted bug each; `language`, `Listener` and others are healthy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

TOKENS, LENGTH = 12, 16


def language(offset: int = 1, items: int = 700) -> dict[str, Any]:
    """Each token is followed by one of three; the targets are the inputs so many positions later."""
    rng = np.random.default_rng(0)
    after = np.stack([rng.permutation(TOKENS)[:3] for _ in range(TOKENS)])
    tokens = np.zeros((items, LENGTH + 4), dtype=np.int64)
    tokens[:, 0] = rng.integers(0, TOKENS, items)
    for t in range(1, tokens.shape[1]):
        tokens[:, t] = after[tokens[:, t - 1], rng.integers(0, 3, items)]
    x, y = tokens[:, 1 : LENGTH + 1], tokens[:, 1 + offset : LENGTH + 1 + offset]
    return {"train": (x[:-150], y[:-150]), "val": (x[-150:], y[-150:]), "classes": [f"t{k}" for k in range(TOKENS)]}


def padded_language() -> dict[str, Any]:
    """Sequences of several lengths: -100 where nothing is asked."""
    given = language()
    lengths = np.random.default_rng(1).integers(6, LENGTH + 1, 700)
    beyond = np.arange(LENGTH)[None, :] >= lengths[:, None]
    x, y = (np.concatenate([given["train"][k], given["val"][k]]) for k in range(2))
    x, y = np.where(beyond, 0, x), np.where(beyond, -100, y)
    return given | {"train": (x[:-150], y[:-150]), "val": (x[-150:], y[-150:])}


def sentences(items: int = 500) -> dict[str, Any]:
    """Texts of two kinds by the words they use."""
    rng = np.random.default_rng(0)
    common = [f"word{k}" for k in range(60)]
    telling = [["fine", "great", "warm", "clever"], ["dull", "poor", "cold", "silly"]]
    texts, labels = [], []
    for k in range(items):
        words = [*rng.choice(common, rng.integers(4, 12)), *rng.choice(telling[k % 2], 2, replace=False)]
        texts.append(" ".join(rng.permutation(words)))
        labels.append(("good", "bad")[k % 2])
    return {"train": (texts, labels)}


def mixed() -> dict[str, Any]:
    """A mapping of tokens and numbers: what is asked needs both."""
    tokens, numbers, labels = _both()
    return {"train": ({"tokens": tokens, "numbers": numbers}, labels), "classes": ["a", "b"]}


def paired() -> dict[str, Any]:
    """The same as a tuple."""
    tokens, numbers, labels = _both()
    return {"train": ((tokens, numbers), labels), "classes": ["a", "b"]}


def _both(items: int = 1200) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    tokens, numbers = rng.integers(1, 5, (items, 6)), rng.normal(size=(items, 2)).astype("float32")
    return tokens, numbers, ((tokens < 3).sum(axis=1) >= 3).astype(int) ^ (numbers[:, 0] > 0)


class Attending(nn.Module):
    """An embedding, two blocks of attention, a head at each position."""

    ahead = False

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, vocabulary: int, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.place = nn.Parameter(0.1 * torch.randn(1, input_shape[0], width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.asks = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(2))
        self.mixes = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            for _ in range(2)
        )
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        states = self.embed(x) + self.place
        for norm, ask, mix in zip(self.norms, self.asks, self.mixes, strict=True):
            q, k, v = ask(norm(states)).chunk(3, dim=-1)
            states = states + F.scaled_dot_product_attention(q, k, v, is_causal=not self.ahead)
            states = states + mix(states)
        return self.head(states)


class SeesAhead(Attending):
    ahead = True


class NormsOverTime(Attending):
    """Subtracts the mean of all positions, the later ones among them."""

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        return out - out.mean(dim=1, keepdim=True)


class SoftmaxAtEachStep(Attending):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(dim=-1)


class ReadsBackwards(nn.Module):
    """A recurrent net in both directions, whose answers are in what it reads."""

    def __init__(self, num_outputs: int, vocabulary: int, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.net = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.net(self.embed(x))[0])


class Listener(nn.Module):
    """Reads a mapping of tokens and numbers."""

    def __init__(self, input_shape: dict[str, tuple[int, ...]], num_outputs: int, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 16)
        self.body = nn.Sequential(nn.Linear(16 + input_shape["numbers"][0], 64), nn.ReLU())
        self.head = nn.Linear(64, num_outputs)

    def forward(self, x: dict[str, Tensor]) -> Tensor:
        return self.head(self.body(torch.cat([self.words(x["tokens"]), x["numbers"]], dim=1)))

    def words(self, tokens: Tensor) -> Tensor:
        return self.embed(tokens).mean(dim=1)


class DeafToTokens(Listener):
    def words(self, tokens: Tensor) -> Tensor:
        return super().words(torch.zeros_like(tokens))


class DeafToNumbers(Listener):
    def forward(self, x: dict[str, Tensor]) -> Tensor:
        return super().forward({**x, "numbers": torch.zeros_like(x["numbers"])})


class PairListener(Listener):
    """Reads a tuple of both."""

    def __init__(self, input_shape: tuple[tuple[int, ...], ...], num_outputs: int, vocabulary: int) -> None:
        super().__init__({"numbers": input_shape[1]}, num_outputs, vocabulary)

    def forward(self, x: tuple[Tensor, Tensor]) -> Tensor:  # type: ignore[override]
        return super().forward({"tokens": x[0], "numbers": x[1]})


class SigmoidCode(nn.Module):
    """An autoencoder that ends in a sigmoid, for inputs that go below 0."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        self.shape = input_shape
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(num_outputs, 32), nn.ReLU(), nn.Linear(32, num_outputs), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).view(-1, *self.shape)


def shifts_again(outputs: Tensor, targets: Tensor) -> Tensor:
    """Moves the targets on although the data did so."""
    return F.cross_entropy(outputs[:, :-1].flatten(0, 1), targets[:, 1:].flatten())

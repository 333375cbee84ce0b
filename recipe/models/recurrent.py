"""Recurrent nets: GRU and LSTM over tokens, rows of numbers, or the rows of a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recipe.models.steps import Steps, pooled

CELLS: dict[str, Callable[..., nn.Module]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class Recurrent(nn.Module):
    """Sequences → raw outputs (B, num_outputs), or (B, T, num_outputs) where every step is asked (language models).

    cell: gru or lstm. embed: width of the vectors that are read; `depth` layers of `width` units. pool: what is read
    off a whole sequence: the mean, the largest, or the last of its states.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        vocabulary: int | None = None,
        every_step: bool = False,
        cell: str = "gru",
        width: int = 128,
        depth: int = 1,
        embed: int = 64,
        bidirectional: bool = False,
        pool: str = "mean",
        dropout: float = 0.0,
        masked: bool = False,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"cell {cell!r} is none of {', '.join(CELLS)}")
        if every_step and bidirectional:
            raise ValueError("a net that reads backwards sees what it is to predict: model.bidirectional=false")
        self.steps = Steps(input_shape, vocabulary, embed, padded=not every_step, masked=masked)
        self.every_step, self.pool, self.both = every_step, pool, bidirectional
        sizes = [embed, *[width * (1 + bidirectional)] * depth]
        self.layers = nn.ModuleList(
            CELLS[cell](size, width, batch_first=True, bidirectional=bidirectional) for size in sizes[:-1]
        )
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()
        self.head = nn.Linear(sizes[-1], num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        states, there = self.steps(x)
        for layer in self.layers:
            states = self.drop(self._through(layer, states, there))
        if not self.every_step:
            states = pooled(states, there, self.pool)
        return self.head(states)  # type: ignore[no-any-return]

    def _through(self, layer: Any, states: Tensor, there: Tensor | None) -> Tensor:
        """Padding stands at the end: only a layer that reads backwards has to be kept from it."""
        if there is None or not self.both:
            return layer(states)[0]  # type: ignore[no-any-return]
        lengths = there.sum(dim=1).clamp(min=1).cpu()
        packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=states.shape[1])[0]

"""The mean of word vectors, then a small net: the simplest model that reads tokens (Joulin et al. 2016)."""

from __future__ import annotations

from torch import Tensor, nn

from recipe.models.block import activation_of
from recipe.models.steps import Steps, pooled


class WordAverage(nn.Module):
    """Tokens (B, T) → raw outputs (B, num_outputs): vectors of `width` numbers, averaged, `depth` hidden layers."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        vocabulary: int | None = None,
        width: int = 64,
        depth: int = 1,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if vocabulary is None:
            raise ValueError("it reads tokens, and the inputs are numbers: model=mlp, or data.encode=tokens")
        self.steps = Steps(input_shape, vocabulary, width, padded=True)
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [nn.Linear(width, width), activation_of(activation)]
            layers += [nn.Dropout(dropout)] if dropout else []
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        states, there = self.steps(x)
        return self.head(self.body(pooled(states, there, "mean")))  # type: ignore[no-any-return]

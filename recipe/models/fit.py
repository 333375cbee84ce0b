"""Which of our nets cannot read the data or answer the task at all: told before torch does."""

from __future__ import annotations

from recipe.record.refusal import Refusal

NUMBERS = tuple(f"recipe.models.{name}." for name in ("linear", "mlp", "convnet", "resnet", "maxout"))
"""Nets that read numbers alone."""
MIRRORS = ("recipe.models.autoencoder.",)


def refuse_misfit(target: str, *, reads_codes: bool, mirrors: bool) -> None:
    """Refusal for a net of ours that does not suit. reads_codes: inputs hold whole numbers such as tokens.

    mirrors: the inputs are to be given back. A user's own nets are left to their own errors.
    """
    if reads_codes and target.startswith(NUMBERS):
        raise Refusal(
            "it reads numbers, and the inputs are tokens",
            where=f"model ({target})",
            fix="model=gru, model=transformer or model=word_average; texts: data.encode=bag",
        )
    if mirrors and target.startswith(NUMBERS):
        raise Refusal(
            "it gives scores, and an autoencoder gives its inputs back",
            where=f"model ({target})",
            fix="model=autoencoder, or model=conv_autoencoder for pictures",
        )

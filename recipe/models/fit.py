"""Which of our nets cannot read the data or answer the task at all: told before torch does."""

from __future__ import annotations

from recipe.record.refusal import Refusal

OURS = "recipe.models."
NUMBERS = tuple(
    f"{OURS}{name}." for name in ("linear", "mlp", "convnet", "resnet", "maxout", "table_mlp", "autoencoder", "zoo")
)
"""Nets that read numbers alone."""
MIRRORS = (f"{OURS}autoencoder.",)
"""Nets that give their inputs back; all others of ours give scores."""
ONE_ANSWER = (f"{OURS}word_average.",)
"""Nets of sequences that cannot answer at every step."""
SCORES = ("classification", "binary", "multilabel", "language_model")
"""Tasks that ask for scores; values, of a regression, may well have the shape of an input."""


def refuse_misfit(target: str, *, reads_codes: bool, mirrors: bool, task: str = "", every_step: bool = False) -> None:
    """Refusal for a net of ours that does not suit. reads_codes: inputs hold whole numbers such as tokens.

    mirrors: the inputs are to be given back. task: its name. every_step: an answer is asked for at each step of a
    sequence. A user's own nets are left to their own errors.
    """
    if not target.startswith(OURS):
        return
    where = f"model ({target})"
    if mirrors and not target.startswith(MIRRORS):
        fix = "model=autoencoder, or model=conv_autoencoder for pictures"
        raise Refusal("it gives scores, and an autoencoder gives its inputs back", where=where, fix=fix)
    if not mirrors and task in SCORES and target.startswith(MIRRORS):
        fix = "task=autoencoder, or another model: model=mlp, model=convnet, model=gru"
        raise Refusal(f"it gives its inputs back, and {task.replace('_', ' ')} asks for scores", where=where, fix=fix)
    if reads_codes and target.startswith(NUMBERS):
        fix = "model=gru, model=transformer or model=word_average; texts: data.encode=bag"
        raise Refusal("it reads numbers, and the inputs are tokens", where=where, fix=fix)
    if every_step and target.startswith(ONE_ANSWER):
        fix = "model=gru, model=lstm or model=transformer"
        raise Refusal(
            f"it answers once a sequence, and {task.replace('_', ' ')} asks at every step", where=where, fix=fix
        )

"""Cells of a table and texts → tensors, by an encoder fitted on train only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from recipe.data.cells import fit_encoder
from recipe.data.data import Split
from recipe.data.text_encoders import TokenEncoder, fit_text_encoder
from recipe.record.refusal import Refusal


def encode(splits: dict[str, Split], settings: Mapping[str, Any], encoding: Callable[[], str]) -> tuple[Any, list[str]]:
    """Puts encoded inputs into `splits`; (encoder or None, what was decided). encoding: what data.encode=auto is."""
    train = splits["train"]
    notes = []
    encoder: Any = None
    if train.cells is not None:
        encoder = fit_encoder(train.cells)
        if not encoder.features:
            why = "; ".join(f"{name}: {reason}" for name, reason in encoder.left_out.items())
            raise Refusal(
                f"no column is left to learn from ({why})", where="data", fix="name other columns, or other data"
            )
    elif train.texts is not None:
        chosen = settings["encode"] if settings["encode"] != "auto" else encoding()
        encoder = fit_text_encoder(train.texts, chosen, settings)
        notes.append(_told(encoder))
    if encoder is not None:
        for name, split in splits.items():
            splits[name] = replace(split, inputs=encoder(split.cells if split.cells is not None else split.texts))
    return encoder, notes


def _told(encoder: Any) -> str:
    if isinstance(encoder, TokenEncoder):
        return (
            f"Texts are {encoder.length} tokens each ({encoder.unit}; shorter ones filled up with 0, longer ones cut) "
            f"of a vocabulary of {encoder.size:,} from train (data.encode=tokens)."
        )
    pairs = " and pairs of words" if encoder.pairs else ""
    return f"Texts are rows of {len(encoder.vocabulary):,} words{pairs} of train, by tf-idf (data.encode=bag)."

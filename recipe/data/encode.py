"""Cells of a table and texts → tensors, by an encoder fitted on train only; of texts without labels, targets too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from recipe.data.cells import fit_encoder
from recipe.data.data import Split
from recipe.data.next_token import NextTokenEncoder, fit_next_token
from recipe.data.text_encoders import TokenEncoder, fit_text_encoder
from recipe.dotted import parameters
from recipe.record.refusal import Refusal


class Encoded(NamedTuple):
    """encoder: None where inputs were numbers. classes: of texts without labels, what can come next."""

    splits: dict[str, Split]
    encoder: Any
    classes: tuple[str, ...] | None
    notes: list[str]


def encode(
    splits: dict[str, Split], settings: Mapping[str, Any], encoding: Callable[[], str], *, labelled: bool
) -> Encoded:
    """The splits with encoded inputs. encoding: what data.encode=auto is. labelled: else texts tell what comes next."""
    train = splits["train"]
    notes: list[str] = []
    if settings["leave_out"] and train.cells is None:
        raise Refusal("there are no columns with names", where="data.leave_out", fix="data.leave_out=[]")
    encoder: Any = None
    if train.texts is not None and not labelled:
        encoder = fit_next_token(train.texts)
        return Encoded(_next_tokens(splits, encoder), encoder, encoder.classes, [_told(encoder)])
    if train.cells is not None:
        encoder = fit_encoder(train.cells).without(settings["leave_out"])
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
        splits = {
            name: replace(split, inputs=encoder(split.cells if split.cells is not None else split.texts))
            for name, split in splits.items()
        }
    return Encoded(splits, encoder, None, notes)


def encoding_for(target: str) -> str:
    """What data.encode=auto means for a model, by its text alone: tokens where it takes a vocabulary, else a bag."""
    taken = parameters(target)
    return "tokens" if taken is not None and "vocabulary" in taken.names else "bag"


def _next_tokens(splits: Mapping[str, Split], encoder: NextTokenEncoder) -> dict[str, Split]:
    made = {}
    for name, split in splits.items():
        assert split.texts is not None
        inputs, targets = encoder.pairs(split.texts)
        made[name] = replace(split, inputs=inputs, targets=targets)
    return made


def _told(encoder: Any) -> str:
    if isinstance(encoder, NextTokenEncoder):
        rare = "" if encoder.unit == "characters" else "; what occurs there once is unknown, and asked of nobody"
        return (
            f"At each of {encoder.length} positions one of {len(encoder.classes):,} {encoder.unit} of train comes "
            f"next{rare}."
        )
    if isinstance(encoder, TokenEncoder):
        return (
            f"Texts are {encoder.length} tokens each ({encoder.unit}; shorter ones filled up with 0, longer ones cut) "
            f"of a vocabulary of {encoder.size:,} from train (data.encode=tokens)."
        )
    pairs = " and pairs of words" if encoder.pairs else ""
    return f"Texts are rows of {len(encoder.vocabulary):,} words{pairs} of train, by tf-idf (data.encode=bag)."

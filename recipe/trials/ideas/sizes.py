"""R6, R7, R8, R12: a smaller input, a smaller model, a smaller batch, and at the very end a larger model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from recipe.record.trial import Change
from recipe.trials.ideas.proposal import Proposal

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.record.evidence import Shelf

_WIDTHS, _DEPTHS = ("channels", "width"), ("depth", "blocks", "convolutions")
# Halved they are as small as anything is tried; a wide side below this has nothing to spare.
_NARROW, _SMALL_SIDE, _SMALL_BATCH = 8, 8, 8
# Numbers of a bag of words in memory: two gigabytes of float32.
_BAG_NUMBERS = 2**29
# A column that tells less than this share alone carries no signal of its own.
_NO_SIGNAL = 0.001


def smaller_input(ingredients: Ingredients, found: Shelf) -> Iterator[Proposal]:
    """Pictures of half the side; rare words, columns without a signal of their own, columns that number the rows."""
    shape, data = ingredients.input_shape, ingredients.data
    if data.kind == "image" and len(shape) == 3 and min(shape[1:]) >= _SMALL_SIDE and not data.train.streams:
        side = min(shape[1:]) // 2
        yield Proposal(
            f"pictures of {side} px", {"data.side": side}, "lose detail that is not the object", "input", 5, cost=0.4
        )
    if data.train.texts is not None and ingredients.task.name != "language_model":
        key = "data.tokens.most" if data.vocabulary is not None else "data.bag.most"
        fewer = max(16, len(data.encoder.vocabulary) // 4)
        yield Proposal(f"{fewer:,} words", {key: fewer}, "forget words that are too rare to be learnt", "input", 3)
    yield from _columns(ingredients, found)


def more_words(ingredients: Ingredients) -> Iterator[Proposal]:
    """Four times the words and pairs that a bag has a column for, where there are more and memory has room for them."""
    data, node = ingredients.data, ingredients.config["data"]["bag"]
    if data.train.texts is None or data.vocabulary is not None or ingredients.task.name == "language_model":
        return
    have = len(data.encoder.vocabulary)
    items = len(data.train) + len(data.val) + data.test_size
    more = min(4 * have, _BAG_NUMBERS // max(1, items))
    if have >= int(node["most"]) and more > 1.5 * have:
        expects = "tell by rarer words, and by more words that go together"
        yield Proposal(f"{more:,} words", {"data.bag.most": more}, expects, "input", 1, cost=0.6 * more / have)


def smaller_model(ingredients: Ingredients) -> Iterator[Proposal]:
    """Half of every width, one layer less, pooling in place of a dense head."""
    model = ingredients.config["model"]
    if smaller := _scaled(model, 0.5):
        yield Proposal(
            f"half the width ({_told(smaller)})", smaller, "lose capacity it does not need", "smaller", 3, cost=0.5
        )
    depth = next((key for key in _DEPTHS if isinstance(model.get(key), int) and model[key] > 1), None)
    if depth:
        less = {f"model.{depth}": model[depth] - 1}
        yield Proposal(f"less {depth} ({model[depth] - 1})", less, "do with fewer layers", "smaller", 5, cost=0.8)
    if model.get("head") == "dense":
        yield Proposal(
            "pooled head", {"model.head": "pool"}, "not learn each position by heart", "smaller", 4, cost=0.8
        )


def smaller_batch(ingredients: Ingredients) -> Iterator[Proposal]:
    """Half the batch for as many passes: twice the steps, each noisier."""
    half = int(ingredients.config["train"]["batch_size"]) // 2
    if half >= _SMALL_BATCH:
        change = {"train.batch_size": half}
        yield Proposal(f"batches of {half}", change, "be shaken out of narrow minima", "batch", 6, cost=1.5)


def larger_model(ingredients: Ingredients, patience: int | None) -> Iterator[Proposal]:
    """Twice every width with early stopping; the last to be tried."""
    larger = _scaled(ingredients.config["model"], 2)
    if larger:
        stopped = {"early_stopping.patience": patience} if patience else {}
        name = f"twice the width ({_told(larger)}){', stopped early' if stopped else ''}"
        yield Proposal(name, {**larger, **stopped}, "have a better early best than a small net", "larger", 9, cost=3.0)


def _columns(ingredients: Ingredients, found: Shelf) -> Iterator[Proposal]:
    """What inspect-data measured of each column alone; nothing is proposed that it did not look at."""
    from recipe.record.features import Columns

    columns = found.found("columns", Columns)
    if columns is None or not ingredients.data.features:
        return
    used = [c for c in columns.columns if not c.left_out]
    numbering = [c.name for c in used if c.numbering]
    silent = [c.name for c in used if c.gain is not None and c.gain < _NO_SIGNAL and c.name not in numbering]
    for name in numbering:
        expects = "not learn the rows by their number"
        yield Proposal(f"without {name}", {"data.leave_out": [name]}, expects, "input", 1)
    if silent and len(silent) < len(used):
        told = silent[0] if len(silent) == 1 else f"{len(silent)} columns that tell nothing alone"
        expects = "miss only what was noise, if they tell nothing together either"
        yield Proposal(f"without {told}", {"data.leave_out": silent}, expects, "input", 4, cost=0.95)


def _scaled(model: dict[str, Any], factor: float) -> Change:
    """Every width that the model's node has, times the factor."""
    widths = {k: model[k] for k in _WIDTHS if isinstance(model.get(k), int) and model[k] >= _NARROW}
    return {f"model.{key}": math.floor(value * factor) for key, value in widths.items()}


def _told(change: Change) -> str:
    return ", ".join(f"{key.removeprefix('model.')} {value}" for key, value in change.items())

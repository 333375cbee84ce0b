"""Which architecture the literature starts from for data like these, and why; what simple probes said decides."""

from __future__ import annotations

from typing import Any

from recipe.data.data import Data
from recipe.data.next_token import NextTokenEncoder
from recipe.record.implications import Implied
from recipe.record.questions import Questions, tells

LARGE = 64
"""Side from which pictures start with an architecture that was made for large ones."""


def predicts_next(data: Data) -> bool:
    """Whether texts without labels are read, and at each position the next character is asked for."""
    return isinstance(data.encoder, NextTokenEncoder)


def starting_point(data: Data, shape: tuple[int, ...], questions: Questions | None) -> tuple[Implied, str]:
    """(where to begin, what it has to beat)."""
    if predicts_next(data):
        return Implied(
            what="architecture", measured="texts without labels: at each position the next character is asked for",
            change={"model": "gru"}, so="a small recurrent net first, then a transformer: model=transformer",
            source="Karpathy 2015, char-rnn; nanoGPT",
        ), "how often each character follows the one before it"  # fmt: skip
    if data.unlabelled:
        return Implied(
            what="architecture", measured="no targets: inputs are to be said again",
            change={"model": "conv_autoencoder" if data.kind == "image" else "autoencoder"},
            so="an autoencoder with a narrow middle", source="Hinton & Salakhutdinov 2006",
        ), "principal components, as many as the middle is wide"  # fmt: skip
    if data.kind == "image":
        return _for_pictures(shape, questions), "logistic regression and nearest neighbours, on pixels"
    if data.kind == "text":
        return _for_texts(
            questions
        ), "logistic regression on a bag of words and pairs of words: data.encode=bag model=linear"
    if data.kind == "series" and len(shape) == 2:
        return Implied(
            what="architecture", measured=f"series of {max(shape)} steps", change={"model": "gru"},
            so="a small recurrent net reads steps in order, whatever their number",
            source="Cho et al. 2014; Karpathy 2019, the simplest architecture of the literature",
        ), "the same net on the series' means and deviations"  # fmt: skip
    if len(shape) != 1:
        return Implied(
            what="architecture", measured=f"inputs of shape {' × '.join(map(str, shape)) or 'one number'}",
            change={"model": "mlp"}, so="no standard for this shape: hidden layers on the flattened input, first",
            source="Karpathy 2019",
        ), "a linear model"  # fmt: skip
    return _for_rows(data, shape, questions), "boosted trees, which are hard to beat on tables (Grinsztajn et al. 2022)"


def _for_pictures(shape: tuple[int, ...], questions: Questions | None) -> Implied:
    sides = sorted(shape)[-2:]
    told = f"pictures of {sides[0]} × {sides[1]}"
    if sides[0] > LARGE:
        return Implied(
            what="architecture", measured=told, change={"model": "resnet18"},
            so="copy the simplest standard for large pictures before inventing one",
            source='He et al. 2016; Karpathy 2019, "don\'t be a hero"',
        )  # fmt: skip
    position = questions.of("position") if questions else None
    pooled = position is not None and tells(position.ways[1].change) in ("same", "more")
    change: dict[str, Any] = {"model": "convnet", "model.norm": "batch"} | ({"model.head": "pool"} if pooled else {})
    so = "convolutions and pooling; " + (
        "position can be averaged out, so the mean over all positions takes the place of a hidden layer on them"
        if pooled
        else "a hidden layer on all positions, as position tells something"
        if position is not None and tells(position.ways[1].change) == "less"
        else "a hidden layer on all positions, as long as it is not known that position tells nothing"
    )
    return Implied(
        what="architecture", measured=told, so=so, change=change, source="LeCun et al. 1998; Lin et al. 2014"
    )


def _for_texts(questions: Questions | None) -> Implied:
    order = questions.of("order") if questions else None
    if order is not None and tells(order.ways[1].change) == "less":
        loss = -100 * order.ways[1].change.mean
        return Implied(
            what="architecture", measured=f"order brings {loss:.1f} points", change={"model": "gru"},
            so="word order tells something: a small recurrent net", source="Cho et al. 2014",
        )  # fmt: skip
    return Implied(
        what="architecture", measured="texts with labels", change={"model": "word_average"},
        so="the mean of word vectors, which is hard to beat where pairs of words add nothing for sure",
        source="Joulin et al. 2016; Wang & Manning 2012",
    )  # fmt: skip


def _for_rows(data: Data, shape: tuple[int, ...], questions: Questions | None) -> Implied:
    together = questions.of("interactions") if questions else None
    lines = together.way("straight lines") if together else None
    told = columns_told(data, shape)
    if lines is not None and tells(lines.change) in ("same", "more"):
        return Implied(
            what="architecture", measured=f"{told}; straight lines do as well as trees",
            so="a linear model, and a small MLP only if it beats it", change={"model": "linear"},
            source="Karpathy 2019, from simple to complex",
        )  # fmt: skip
    bent = lines is not None and tells(lines.change) == "less"
    return Implied(
        what="architecture", measured=f"{told}; straight lines do worse than trees" if bent else told,
        change={"model": "mlp"}, so="two hidden layers on scaled columns",
        source="Gorishniy et al. 2021; Kadra et al. 2021",
    )  # fmt: skip


def columns_told(data: Data, shape: tuple[int, ...]) -> str:
    """A table's columns are fewer than the numbers they become."""
    cells, left = data.train.cells, data.encoder.left_out if data.train.cells is not None else {}
    if cells is None:
        return f"{shape[0]} columns"
    count = len(cells.numeric_names) + len(cells.category_names) - len(left)
    return f"{count} columns" + (f", {shape[0]} numbers after encoding" if shape[0] != count else "")

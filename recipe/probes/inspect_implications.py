"""D11: what the data imply: examples a class and a parameter, sizes and lengths, the architecture to start from."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import torch

from recipe.data.data import Data
from recipe.data.texts import split_text
from recipe.record.implications import Implications, Implied, NetSize
from recipe.record.questions import Questions, tells
from recipe.tree import leaves

LARGE = 64
"""Side from which pictures start with an architecture that was made for large ones."""
ENOUGH, FEW = 5000, 100
"""Examples of a class: for acceptable performance (Goodfellow, Bengio & Courville 2016, 1.2.2); and where to worry."""
LENGTHS = 5000


def measure_implications(data: Data, questions: Questions | None) -> Implications:
    """What to start from, and why; with the answers of the probes where there are any."""
    shapes = [tuple(leaf.shape[1:]) for leaf in leaves(data.train.sample([0]))]
    outputs = _outputs(data)
    start, rival = _start(data, shapes[0], questions)
    fewest = None
    if data.classes is not None and data.train.targets.ndim == 1:
        counts = torch.bincount(data.train.targets.long(), minlength=len(data.classes))
        fewest = int(counts[counts > 0].min())
    return Implications(
        kind=data.kind,
        examples=len(data.train),
        fewest=fewest,
        inputs=sum(prod(shape) for shape in shapes),
        start=start,
        rival=rival,
        sizes=tuple(_sizes(data, shapes, outputs)),
        more=(*_amount(fewest, questions), *_length(data, questions), *_answers(data, questions)),
    )


def _outputs(data: Data) -> int:
    if data.train.targets.ndim > 1:
        return int(data.train.targets.shape[1])
    return len(data.classes) if data.classes is not None and len(data.classes) > 2 else 1


def _start(data: Data, shape: tuple[int, ...], questions: Questions | None) -> tuple[Implied, str]:
    """(where to begin, what it has to beat)."""
    if data.kind == "image":
        return _for_pictures(shape, questions), "logistic regression and nearest neighbours, on pixels"
    if data.kind == "text":
        return _for_texts(
            data, questions
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
    return _for_rows(shape, questions), "boosted trees, which are hard to beat on tables (Grinsztajn et al. 2022)"


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


def _for_texts(data: Data, questions: Questions | None) -> Implied:
    texts = data.train.texts
    if texts is not None and not texts.whole:
        return Implied(
            what="architecture", measured="pieces of one text", change={"model": "gru"},
            so="a small recurrent net first, then a transformer: model=transformer", source="Karpathy 2015; nanoGPT",
        )  # fmt: skip
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


def _for_rows(shape: tuple[int, ...], questions: Questions | None) -> Implied:
    together = questions.of("interactions") if questions else None
    lines = together.way("straight lines") if together else None
    if lines is not None and tells(lines.change) in ("same", "more"):
        return Implied(
            what="architecture", measured=f"{shape[0]} columns; straight lines do as well as trees",
            so="a linear model, and a small MLP only if it beats it", change={"model": "linear"},
            source="Karpathy 2019, from simple to complex",
        )  # fmt: skip
    return Implied(
        what="architecture", measured=f"{shape[0]} columns", change={"model": "mlp"},
        so="two hidden layers on scaled columns", source="Gorishniy et al. 2021; Kadra et al. 2021",
    )  # fmt: skip


def _sizes(data: Data, shapes: list[tuple[int, ...]], outputs: int) -> Iterator[NetSize]:
    """Parameters, by formula: no net is built here."""
    numbers = sum(prod(shape) for shape in shapes)
    if (
        data.kind == "text"
        and data.train.inputs is not None
        and not next(leaves(data.train.sample([0]))).is_floating_point()
    ):
        words = getattr(data.encoder, "size", 0)
        yield NetSize(
            name="word average, 64", parameters=64 * words + 64 * 65 + 65 * outputs, change={"model": "word_average"}
        )
        return
    yield NetSize(name="linear", parameters=(numbers + 1) * outputs, change={"model": "linear"})
    hidden = (numbers + 1) * 256 + 257 * 256 + 257 * outputs
    yield NetSize(name="MLP 256 × 2", parameters=hidden, change={"model": "mlp"})
    if data.kind == "image" and len(shapes[0]) == 3:
        channels, sides = min(shapes[0]), sorted(shapes[0])[-2:]
        body = (9 * channels + 1) * 32 + (9 * 32 + 1) * 64
        dense = (64 * -(-sides[0] // 4) * -(-sides[1] // 4) + 1) * 128 + 129 * outputs
        yield NetSize(name="ConvNet 32", parameters=body + dense, change={"model": "convnet"})
        pooled = body + 65 * outputs
        yield NetSize(name="ConvNet 32, pooled", parameters=pooled, change={"model": "convnet", "model.head": "pool"})


def _amount(fewest: int | None, questions: Questions | None) -> Iterator[Implied]:
    if fewest is not None:
        told = f"{fewest:,} of the rarest class"
        so = (
            "enough to train from scratch"
            if fewest >= ENOUGH
            else "little: augment, start from pretrained weights where there are some, and mind the intervals"
            if fewest < FEW
            else "less than the 5,000 a class from which nets do acceptably: expect regularization to matter"
        )
        yield Implied(
            what="examples a class", measured=told, so=so, source="Goodfellow, Bengio & Courville 2016, 1.2.2"
        )
    more = questions.of("examples") if questions else None
    if questions and more is not None and len(more.ways) > 1:
        gain, full, half = -more.ways[1].change.mean, more.ways[0].at, more.ways[1].at
        told = f"from {half:,.0f} to {full:,.0f} examples a simple probe gains {100 * gain:.1f} points"
        so = (
            "more examples will help, and augmentation may"
            if gain > 0.01
            else "the probe has seen enough; a net may not have"
        )
        yield Implied(what="more examples", measured=told, so=so, source='Karpathy 2019, "get more data"')


def _length(data: Data, questions: Questions | None) -> Iterator[Implied]:
    texts = data.train.texts
    if texts is None or not texts.whole:
        return
    places = data.train.spread(LENGTHS)
    lengths = [len(split_text(texts[int(k)], "words")) for k in places]
    middle, most = (int(np.quantile(lengths, q)) for q in (0.5, 0.99))
    asked = questions.of("length") if questions else None
    enough = int(asked.least().at) if asked else most
    yield Implied(
        what="length", measured=f"half of the texts have up to {middle} words, 99 % up to {most}",
        so=f"the first {min(enough, most)} words tell what there is to tell: data.tokens.length={min(enough, most)}",
        change={"data.tokens.length": min(enough, most)}, source="probes by length read",
    )  # fmt: skip


def _answers(data: Data, questions: Questions | None) -> Iterator[Implied]:
    """What the answers of the probes imply beyond the architecture."""
    found = questions.of("resolution") if questions else None
    if found is not None and data.kind == "image":
        least = found.least(0.02)
        if least.at < found.base.at:
            yield Implied(
                what="input size", measured=f"at {least.name} a probe loses {-100 * least.change.mean:.1f} points",
                so=f"try ideas on {least.name}, {(found.base.at / least.at) ** 2:.0f} times fewer pixels",
                source='Karpathy 2019, "how far could we afford to downsample"',
            )  # fmt: skip
    columns = questions.of("columns") if questions else None
    if columns is not None and columns.least().at < columns.base.at:
        least = columns.least()
        yield Implied(
            what="columns", measured=f"{least.at:.0f} of {columns.base.at:.0f} reach the score of all: {least.name}",
            so="plug the others in one at a time, and keep what pays", source="Karpathy 2019, one thing at a time",
        )  # fmt: skip

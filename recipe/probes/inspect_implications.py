"""D11: what the data imply: examples a class and a parameter, sizes and lengths, the architecture to start from."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import torch

from recipe.data.data import Data
from recipe.data.next_token import NextTokenEncoder
from recipe.data.text_encoders import BagEncoder, TokenEncoder, fit_tokens
from recipe.data.texts import split_text
from recipe.models import sizes
from recipe.record.implications import Implications, Implied, NetSize
from recipe.record.questions import Questions, tells
from recipe.starting_point import LARGE, predicts_next, starting_point
from recipe.tree import leaves

ENOUGH, FEW = 5000, 100
"""Examples of a class: for acceptable performance (Goodfellow, Bengio & Courville 2016, 1.2.2); and where to worry."""
EACH = 10
"""Examples for each input number from which a linear model is honest (Harrell 2015, rules of 10 to 20)."""
LENGTHS = 5000
WORDS = 20_000


def measure_implications(data: Data, questions: Questions | None) -> Implications:
    """What to start from, and why; with the answers of the probes where there are any."""
    shapes = [tuple(leaf.shape[1:]) for leaf in leaves(data.train.sample([0]))]
    start, rival = starting_point(data, shapes[0], questions)
    counts = _class_counts(data)
    return Implications(
        kind=data.kind,
        examples=int((data.train.targets >= 0).sum()) if predicts_next(data) else len(data.train),
        unit=f"{data.encoder.unit} to be predicted" if predicts_next(data) else "examples",
        fewest=min(counts.values()) if counts else None,
        inputs=sizes.numbers_of(shapes),
        start=start,
        rival=rival,
        sizes=tuple(_sizes(data, shapes, _outputs(data))),
        more=(
            *_amount(data, counts, shapes),
            *_gain(data, questions),
            *_size_of_inputs(data, shapes, questions),
            *_length(data, questions),
            *_columns(questions),
        ),
    )


def _class_counts(data: Data) -> dict[str, int]:
    """{class: examples} of train, of those that have any; nothing where targets are no classes."""
    if data.classes is None or data.train.targets.ndim != 1 or data.without_label:
        return {}
    counts = torch.bincount(data.train.targets.long(), minlength=len(data.classes)).tolist()
    return {name: count for name, count in zip(data.classes, counts, strict=True) if count}


def _outputs(data: Data) -> int:
    if predicts_next(data):
        return len(data.classes or ())
    if data.train.targets.ndim > 1:
        return int(data.train.targets.shape[1])
    return len(data.classes) if data.classes is not None and len(data.classes) > 2 else 1


def _sizes(data: Data, shapes: list[tuple[int, ...]], outputs: int) -> Iterator[NetSize]:
    """What the standard nets for this kind of data have; none for what no standard net learns."""
    numbers = sizes.numbers_of(shapes)
    if predicts_next(data):
        size = int(data.encoder.size)
        yield _size("GRU 128", sizes.gru(outputs, words=size), "gru")
        return
    if data.unlabelled:
        return
    if data.train.texts is not None:
        words = data.encoder.size if isinstance(data.encoder, TokenEncoder) else _words(data)
        if isinstance(data.encoder, BagEncoder):
            yield _size(f"linear on {numbers:,} words and pairs", sizes.linear(numbers, outputs), "linear")
        yield _size("word average, 64", sizes.word_average(words, outputs), "word_average")
        yield _size("GRU 128", sizes.gru(outputs, words=words), "gru")
        return
    yield _size("linear", sizes.linear(numbers, outputs), "linear")
    yield _size("MLP 256 × 2", sizes.mlp(numbers, outputs), "mlp")
    shape = shapes[0]
    if data.kind == "series" and len(shape) == 2:
        yield _size("GRU 128", sizes.gru(outputs, features=shape[1]), "gru")
    if data.kind == "image":
        shape = (1, *shape) if len(shape) == 2 else shape
        if shape[0] > 4:
            return
        norm: dict[str, Any] = {"model.norm": "batch"}
        yield _size("ConvNet 32", sizes.convnet(shape, outputs, pool=False, norm=True), "convnet", **norm)
        pooled = sizes.convnet(shape, outputs, pool=True, norm=True)
        yield _size("ConvNet 32, pooled", pooled, "convnet", **norm, **{"model.head": "pool"})
        if min(shape[1:]) > LARGE:
            yield _size("ResNet-18", sizes.resnet18(shape[0], outputs), "resnet18")


def _size(name: str, parameters: int, model: str, **more: Any) -> NetSize:
    return NetSize(name=name, parameters=parameters, change={"model": model} | more)


def _words(data: Data) -> int:
    """Tokens of an encoder that nobody has fitted yet."""
    assert data.train.texts is not None
    return fit_tokens(data.train.texts, unit="words", most=WORDS, length=None).size


def _amount(data: Data, counts: dict[str, int], shapes: list[tuple[int, ...]]) -> Iterator[Implied]:
    """How much there is to learn from."""
    if predicts_next(data):
        total = int((data.train.targets >= 0).sum())
        yield Implied(
            what="examples", measured=f"{total:,} {data.encoder.unit} to be predicted, in {len(data.train):,} pieces",
            so="a net of about as many parameters, in order of magnitude; fewer overfit less, more need dropout",
            source="Karpathy 2015, char-rnn's advice",
        )  # fmt: skip
        return
    if not counts:
        numbers, n = sizes.numbers_of(shapes), len(data.train)
        each = n / max(1, numbers)
        so = (
            "enough for a linear model to be honest; nets fit with fewer, which regularization pays back"
            if each >= EACH
            else "few: even a linear model needs regularization"
        )
        yield Implied(
            what="examples", measured=f"{n:,} of {numbers:,} numbers each: {each:,.3g} for each of them", so=so,
            source="Harrell 2015",
        )  # fmt: skip
        return
    rare, common = min(counts, key=lambda c: counts[c]), max(counts, key=lambda c: counts[c])
    fewest = counts[rare]
    little = {
        "image": "augment, and start from pretrained weights where there are some",
        "text": "start from pretrained weights where there are some",
    }.get(data.kind, "keep to simple models, or put rare classes together where that makes sense")
    so = (
        "enough to train from scratch"
        if fewest >= ENOUGH
        else f"little: {little}; mind the intervals"
        if fewest < FEW
        else "less than the 5,000 a class from which nets do acceptably: expect regularization to matter"
    )
    told = f"{fewest:,} of {rare!r}, the rarest of {len(counts)}, to {counts[common]:,} of {common!r}"
    told = f"{fewest:,} of each of {len(counts)}" if counts[common] == fewest else told
    yield Implied(what="examples a class", measured=told, so=so, source="Goodfellow, Bengio & Courville 2016, 1.2.2")


def _gain(data: Data, questions: Questions | None) -> Iterator[Implied]:
    """What the last doubling of the examples brought to a simple probe."""
    more = questions.of("examples") if questions else None
    if questions is None or more is None or len(more.ways) < 2:
        return
    change, full, half = more.ways[1].change, more.ways[0].at, more.ways[1].at
    ends = f"[{-100 * change.high:.1f}, {-100 * change.low:.1f}]"
    told = f"from {half:,.0f} to {full:,.0f} a simple probe gains {0 - 100 * change.mean:.1f} points {ends}"
    so = {
        "less": "more examples will help" + (", and augmentation may" if data.kind == "image" else ""),
        "open": f"open: {questions.val_items:,} items of val cannot tell whether more examples help",
    }.get(tells(change), "the probe has seen enough; a net may not have")
    yield Implied(what="more examples", measured=told, so=so, source='Karpathy 2019, "get more data"')


def _size_of_inputs(data: Data, shapes: list[tuple[int, ...]], questions: Questions | None) -> Iterator[Implied]:
    if data.kind != "image":
        return
    shape = shapes[0]
    told = f"{' × '.join(map(str, shape))} = {prod(shape):,} numbers"
    found = questions.of("resolution") if questions else None
    least = found.least(0.02) if found is not None else None
    if found is not None and least is not None and least.at < found.base.at:
        yield Implied(
            what="input size", measured=f"{told}; at {least.name} a probe loses {-100 * least.change.mean:.1f} points",
            so=f"try ideas on {least.name}, {(found.base.at / least.at) ** 2:.0f} times fewer pixels",
            source='Karpathy 2019, "how far could we afford to downsample"',
        )  # fmt: skip
        return
    so = "as they are: at any smaller size a simple probe loses over 2 points" if found is not None else "as they are"
    if min(sorted(shape)[-2:]) > LARGE and found is None:
        so = "half the size first, data.size, until the rest works"
    yield Implied(
        what="input size", measured=told, so=so, source='Karpathy 2019, "how far could we afford to downsample"'
    )


def _length(data: Data, questions: Questions | None) -> Iterator[Implied]:
    texts = data.train.texts
    if texts is None:
        return
    if isinstance(data.encoder, NextTokenEncoder):
        each = (data.train.targets >= 0).sum(dim=1).double()
        asked = f"{float(each.mean()):.3g} of them asked for on average"
        told = f"{data.encoder.length} {data.encoder.unit} at a time, {asked}"
        so = "a recurrent net's state, or a transformer's window, reaches no farther back than that"
        yield Implied(what="length", measured=told, so=so, source="Karpathy 2015; nanoGPT, block size")
        return
    lengths = [len(split_text(texts[int(k)], "words")) for k in data.train.spread(LENGTHS)]
    middle, most = (int(np.quantile(lengths, q)) for q in (0.5, 0.99))
    question = questions.of("length") if questions else None
    enough = max(1, min(int(question.least().at), most) if question else most)
    so = (
        f"the first {enough} words tell what there is to tell"
        if question
        else f"{enough} words hold nearly all of them"
    )
    yield Implied(
        what="length", measured=f"half of the texts have up to {middle} words, 99 % up to {most}", so=so,
        change={"data.tokens.length": enough},
        source="probes by length read" if question else "the 99 % point of train",
    )  # fmt: skip


def _columns(questions: Questions | None) -> Iterator[Implied]:
    columns = questions.of("columns") if questions else None
    if columns is not None and columns.least().at < columns.base.at:
        least = columns.least()
        yield Implied(
            what="columns", measured=f"{least.at:.0f} of {columns.base.at:.0f} reach the score of all: {least.name}",
            so="plug the others in one at a time, and keep what pays", source="Karpathy 2019, one thing at a time",
        )  # fmt: skip

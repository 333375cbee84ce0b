"""model.json: all that is needed, beside the weights, to use a trained model on new inputs."""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT = 2
"""1 had no weights of members, no temperature and no views."""


class MemberFile(msgspec.Struct, frozen=True, kw_only=True):
    """One net: its weights' file, the config node that builds it, the seed that trained it."""

    file: str
    node: dict[str, Any]
    name: str
    seed: int
    parameters: int


class View(msgspec.Struct, frozen=True, kw_only=True):
    """How a picture is seen once more: mirrored, moved down and right by so many pixels."""

    flip: bool = False
    down: int = 0
    right: int = 0


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How far a statistic of an input went over the training set, with some room at both ends."""

    name: str
    low: float
    high: float


class InputFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What raw inputs look like. kind: image, table, series, text or array.

    shape, dtype: of one raw input, None where inputs are several tensors. top: the largest value of a pixel, to which
    pictures in files are scaled. columns: of an encoded table, in order. reach: what is usual, on preprocessed inputs.
    """

    kind: str
    shape: tuple[int, ...] | None
    dtype: str | None
    top: float | None = None
    columns: tuple[str, ...] = ()
    reach: tuple[Reach, ...] = ()


class SavedModel(msgspec.Struct, frozen=True, kw_only=True):
    """num_outputs, input_shape, vocabulary, every_step: what the nodes are built with. encoder: of a table or of texts,
    as plain data. squashed: an autoencoder's outputs are logits. weights: of the members in the average, equal where
    there are none. views: how each picture is seen, once plainly where there are none. temperature: what the scores of
    the average are divided by."""

    format: int = FORMAT
    recipe: str
    torch: str
    task: str
    classes: tuple[str, ...] | None
    num_outputs: int
    input_shape: Any
    vocabulary: int | None = None
    every_step: bool = False
    squashed: bool = False
    batch_size: int
    precision: str
    threads: int
    preprocess: dict[str, Any]
    eval_transform: list[dict[str, Any]]
    inputs: InputFacts
    members: tuple[MemberFile, ...]
    weights: tuple[float, ...] = ()
    views: tuple[View, ...] = ()
    temperature: float = 1.0
    encoder: dict[str, Any] | None = None
    data: str = ""
